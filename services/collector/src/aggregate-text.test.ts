import { type AggregateItem, resultAggregate } from '@stream-infer/core/result-aggregate';
import { timeKey } from '@stream-infer/core/time-key';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aggregateText } from './aggregate-text.ts';
import type { ResultStore } from './result-store.ts';
import { openSqliteStore } from './sqlite-store/result-store.ts';
import { storeItem } from './store-item.ts';
import { timeRange } from './time-range.ts';

async function storeOf(records: readonly (AggregateItem & { readonly n: number })[]): Promise<ResultStore> {
  const store = openSqliteStore(':memory:', () => undefined);
  const writer = await store.takeTurn(new AbortController().signal, () => undefined);
  await writer?.resume({ created: 'monday', lastSequence: records.length });
  const items = records.flatMap((record, index) => {
    const bytes = new TextEncoder().encode(JSON.stringify({ stream: 'cam', run: 'r1', ...record }));
    return storeItem({ kind: 'result', sequence: index + 1, bytes }) ?? [];
  });
  expect(items).toHaveLength(records.length);
  await writer?.commit({ items, sequence: items.length }, 0);
  return store;
}

async function textOf(store: ResultStore, from?: string, to?: string): Promise<string> {
  const series = await store.series((await store.run('cam'))?.id ?? 0);
  let text = '';
  for await (const piece of aggregateText(store, series, timeRange(from, to))) text += piece;
  await store.close();
  return text;
}

test('the pieces are the bytes of the aggregate in core, for any results in any order', async () => {
  const fps = { num: 2_000, den: 1 };
  const record = fc
    .record({
      algorithm: fc.constantFrom('b', 'a', 'A', 'c-1'),
      n: fc.integer({ min: 1, max: 3_000 }),
      data: fc.jsonValue(),
      fails: fc.boolean(),
    })
    .map(({ algorithm, n, data, fails }) => ({
      algorithm,
      n,
      key: timeKey(n, fps),
      ...(fails ? { error: { code: 'INTERNAL', message: 'x' } as const } : { data: data as null }),
    }));
  const unique = fc.uniqueArray(record, { maxLength: 60, selector: ({ algorithm, n }) => `${algorithm}.${n}` });
  await fc.assert(
    fc.asyncProperty(unique, async (records) => {
      const inOrder = records.toSorted((a, b) => a.n - b.n);
      expect(await textOf(await storeOf(records))).toBe(resultAggregate(inOrder));
    }),
    { numRuns: 60 },
  );
});

test('a series of several pages is one object, whichever page a key ends on', async () => {
  const records = Array.from({ length: 2_500 }, (_, index) => {
    const n = index + 1;
    return { algorithm: 'faces', n, key: timeKey(n, { num: 1_500, den: 1 }), data: n };
  });
  expect(await textOf(await storeOf(records))).toBe(resultAggregate(records));
});

test('a range holds its beginning and not its end', async () => {
  const records = [1, 2, 3].map((n) => ({ algorithm: 'faces', n, key: String(n), data: n }));
  expect(await textOf(await storeOf(records), '2', '3')).toBe('{"faces":{"2":2}}');
  expect(await textOf(await storeOf(records), '3')).toBe('{"faces":{"3":3}}');
  expect(await textOf(await storeOf(records), '4')).toBe('{}');
});
