/** What every store of results does, whatever keeps it. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ResultStore, ResultWriter, StoreOutcome } from '../../services/collector/src/result-store.ts';
import { RANK, type Rank, type StoreItem } from '../../services/collector/src/store-item.ts';
import { describeStores, type TestStore } from '../harness/stores.ts';

const RESULTS = { created: 'monday', lastSequence: 1_000_000 };

const result = (
  sequence: number,
  n: number,
  algorithm = 'faces',
  rank: Rank = RANK.success,
  run = 'r1',
): StoreItem => ({
  kind: 'result',
  sequence,
  stream: 'cam',
  run,
  algorithm,
  n,
  keyMs: n * 100,
  rank,
  text: `${sequence}:${n}.${algorithm}`,
});
const end = (sequence: number, run = 'r1'): StoreItem => ({
  kind: 'end',
  sequence,
  stream: 'cam',
  run,
  text: `end ${run}`,
});

const many = (count: number, text?: string): StoreItem[] =>
  Array.from({ length: count }, (_, index) => ({ ...result(index + 1, index + 1), ...(text && { text }) }));

describeStores(({ create }) => {
  let place: TestStore;
  let store: ResultStore;
  let writer: ResultWriter;

  const turn = async (of: ResultStore): Promise<ResultWriter> => {
    const taken = await of.takeTurn(AbortSignal.timeout(20_000), () => undefined);
    if (taken === undefined) throw new Error('there was no turn to take');
    return taken;
  };
  beforeEach(async () => {
    place = await create();
    store = await place.open();
    writer = await turn(store);
    await writer.resume(RESULTS);
  });
  afterEach(async () => {
    await writer?.close();
    await store.close();
    await place.remove();
  });

  test('takes nothing behind what is committed', async () => {
    await commit(many(5));
    await expect(commit([result(3, 3)])).rejects.toMatchObject({ code: 'STORE_FAILED' });
    expect(await store.progress()).toMatchObject({ sequence: 5 });
  });

  const commit = (items: readonly StoreItem[], nowMs = 0): Promise<StoreOutcome[]> =>
    writer.commit({ items, sequence: items.at(-1)?.sequence ?? 0 }, nowMs);
  const runId = async (run?: string): Promise<number> => (await store.run('cam', run))?.id ?? 0;
  const records = async (): Promise<string[]> =>
    (await store.records({ runId: await runId(), limit: 1_000 })).rows.map((row) => row.record);

  describe('a commit', () => {
    test('stores each place once, with the highest rank that came (I5)', async () => {
      expect(await commit([result(1, 1), result(2, 1), result(3, 2, 'faces', RANK.error)])).toEqual([
        'stored',
        'duplicate',
        'stored',
      ]);
      expect(await commit([result(4, 2), result(5, 2, 'faces', RANK.error), result(6, 2)])).toEqual([
        'replaced',
        'duplicate',
        'duplicate',
      ]);
      expect(await records()).toEqual(['1:1.faces', '4:2.faces']);
      expect(await store.run('cam')).toMatchObject({ results: 2, errors: 0 });
    });

    test('tells an error and what mends it in one batch apart', async () => {
      const error = (sequence: number, n: number) => result(sequence, n, 'faces', RANK.error);
      expect(await commit([error(1, 1), error(2, 2), error(3, 1), result(4, 1), result(5, 1)])).toEqual([
        'stored',
        'stored',
        'duplicate',
        'replaced',
        'duplicate',
      ]);
      expect(await records()).toEqual(['4:1.faces', '2:2.faces']);
      expect(await store.run('cam')).toMatchObject({ results: 2, errors: 1 });
    });

    test('keeps the first end of a run, and the newest run is the one first heard of last', async () => {
      expect(await commit([result(1, 1), end(2), end(3), result(4, 1, 'faces', RANK.success, 'r0')])).toEqual([
        'stored',
        'stored',
        'duplicate',
        'stored',
      ]);
      expect(await commit([result(5, 2)])).toEqual(['stored']);
      expect(await store.run('cam')).toMatchObject({ run: 'r0', end: null });
      expect(await store.run('cam', 'r1')).toMatchObject({ end: 'end r1', results: 2 });
      expect((await store.streams()).map(({ run }) => run)).toEqual(['r0']);
      expect((await store.runs('cam')).map(({ run }) => run)).toEqual(['r0', 'r1']);
      const places = ['r0', 'r2', 'r1'].map((run) => ({ stream: 'cam', run }));
      expect((await store.runsOf(places)).map(({ run }) => run).sort()).toEqual(['r0', 'r1']);
      expect(await store.run('nobody')).toBeUndefined();
    });

    test('that fails stores nothing, and is as if it had not been', async () => {
      await commit([result(1, 1)]);
      const clash = { ...result(2, 2), text: null as unknown as string };
      await expect(commit([result(2, 9), clash as StoreItem])).rejects.toThrow();
      expect(await records()).toEqual(['1:1.faces']);
      expect(await store.progress()).toEqual({ sequence: 1, position: 1 });
      expect(await commit([result(2, 2)])).toEqual(['stored']);
    });

    test('of nothing moves the progress alone, and texts of any characters come back as they were', async () => {
      await writer.commit({ items: [], sequence: 7 }, 0);
      expect(await store.progress()).toEqual({ sequence: 7, position: 7 });
      const text = '{"data":"é\u2028 \u{1F600} \\u0000 \'; DROP TABLE results; --"}';
      await commit([{ ...result(8, 1), text } as StoreItem]);
      expect(await records()).toEqual([text]);
    });
  });

  describe('what is read', () => {
    test('records come by n, then algorithm, in pages', async () => {
      await commit([result(1, 1, 'b'), result(2, 2, 'b'), result(3, 1, 'a'), result(4, 10, 'a'), result(5, 2, 'a')]);
      await commit([result(6, 1, 'B'), result(7, 1, 'a-1'), result(8, 1, '_')]);
      const all = await store.records({ runId: await runId(), limit: 100 });
      // By the bytes of the names, as everywhere.
      expect(all.rows.slice(0, 5).map(({ algorithm }) => algorithm)).toEqual(['B', '_', 'a', 'a-1', 'b']);
      expect((await store.series(await runId())).map(({ algorithm }) => algorithm)).toEqual([
        'B',
        '_',
        'a',
        'a-1',
        'b',
      ]);
      const first = await store.records({ runId: await runId(), limit: 6 });
      expect(first.rows.slice(2).map((row) => row.record)).toEqual(['3:1.a', '7:1.a-1', '1:1.b', '5:2.a']);
      expect(first.last).toBe(false);
      const second = await store.records({ runId: await runId(), after: { n: 2, algorithm: 'a' }, limit: 3 });
      expect(second).toMatchObject({ last: true, rows: [{ record: '2:2.b' }, { record: '4:10.a' }] });
      expect((await store.records({ runId: await runId(), algorithm: 'b', limit: 2 })).last).toBe(true);
    });

    test('a page ends where its texts grow large', async () => {
      await commit(many(9, 'x'.repeat(10_000)));
      const query = { runId: await runId(), limit: 100, maxCharacters: 32_768 };
      const { rows, last } = await store.records(query);
      expect([rows.length, last]).toEqual([4, false]);
      expect((await store.records({ ...query, maxCharacters: 1 })).rows).toHaveLength(1);
      expect((await store.records({ ...query, maxCharacters: 90_000 })).last).toBe(true);
    });

    test('a series comes in the order of time, in pages, and its newest is the last', async () => {
      await commit([3, 1, 2, 5, 4].map((n, index) => result(index + 1, n)));
      const [series] = await store.series(await runId());
      const seriesId = series?.id ?? 0;
      const page = (keyMs: number, n: number, toMs: number, limit: number) =>
        store.seriesRecords({ seriesId, after: { keyMs, n }, toMs, limit });
      const first = await page(0, -1, 500, 2);
      expect(first).toMatchObject({ last: false, rows: [{ keyMs: 100, n: 1, record: '2:1.faces' }, { n: 2 }] });
      expect(await page(200, 2, 500, 2)).toMatchObject({ last: true, rows: [{ n: 3 }, { n: 4 }] });
      expect(await page(300, -1, Number.MAX_SAFE_INTEGER, 9)).toMatchObject({ rows: [{ n: 3 }, { n: 4 }, { n: 5 }] });
      expect(await store.newest(seriesId)).toBe('4:5.faces');
    });

    test('events come by position, ends among them; a filter hides texts and keeps positions', async () => {
      await commit([result(1, 1, 'a'), result(2, 1, 'b'), end(3), result(4, 2, 'a')]);
      const events = async (query: { stream?: string; algorithm?: string } = {}) =>
        (await store.events({ after: 1, limit: 10, ...query })).rows.map(({ position, text }) => [position, text]);
      expect(await events()).toEqual([
        [2, '2:1.b'],
        [3, 'end r1'],
        [4, '4:2.a'],
      ]);
      expect(await events({ algorithm: 'a' })).toEqual([
        [2, null],
        [3, 'end r1'],
        [4, '4:2.a'],
      ]);
      expect(await events({ stream: 'other' })).toEqual([
        [2, null],
        [3, null],
        [4, null],
      ]);
      expect(await store.events({ after: 0, limit: 2 })).toMatchObject({ last: false, rows: [{}, { kind: 'result' }] });
    });
  });

  describe('removal', () => {
    test('takes the oldest first, keeps the counts, and forgets an ended run of which nothing is left', async () => {
      await commit([result(1, 1, 'a', RANK.error, 'r0'), result(2, 2, 'a', RANK.success, 'r0'), end(3, 'r0')], 1_000);
      await commit([result(4, 1), result(5, 2)], 2_000);
      expect(await store.oldestStoredAtMs()).toBe(1_000);
      expect(await store.removeOldest(1)).toEqual({ removed: 1, through: 1 });
      expect(await store.run('cam', 'r0')).toMatchObject({ results: 1, errors: 0 });
      expect(await store.forgetRuns({ endedThrough: 2 })).toBe(0);
      expect(await store.removeOldest(10, 2_000)).toEqual({ removed: 1, through: 2 });
      expect(await store.removeOldest(10, 2_000)).toEqual({ removed: 0, through: 0 });
      expect(await store.forgetRuns({ endedThrough: 3 })).toBe(1);
      expect(await store.run('cam', 'r0')).toBeUndefined();
      expect(await store.run('cam')).toMatchObject({ run: 'r1', results: 2 });
    });

    test('of a series stops at a position', async () => {
      await commit([result(1, 1), result(2, 2), result(3, 3, 'other'), result(4, 4)]);
      const [faces] = await store.series(await runId(), 'faces');
      expect(await store.clearSeries(faces?.id ?? 0, 1, 10)).toBe(1);
      expect(await store.clearSeries(faces?.id ?? 0, 2, 10)).toBe(1);
      expect(await records()).toEqual(['3:3.other', '4:4.faces']);
      expect(await store.run('cam')).toMatchObject({ results: 2 });
    });

    test('makes what is used less', async () => {
      await commit(many(500, 'x'.repeat(4_000)));
      const before = await store.size();
      expect(before.usedBytes).toBeGreaterThan(500 * 4_000);
      await store.removeOldest(450);
      expect((await store.size()).usedBytes).toBeLessThan(before.usedBytes / 2);
    });
  });

  test('is gone on with where it was left', async () => {
    await commit(many(500));
    await store.sync();
    await writer?.close();
    await store.close();
    await store.close();
    store = await place.open();
    writer = await turn(store);
    expect(await writer.resume(RESULTS)).toBe(501);
    expect(await store.progress()).toEqual({ sequence: 500, position: 500 });
    expect(await commit([result(501, 500)])).toEqual(['duplicate']);
  });

  test('goes on with ascending positions in another RESULTS', async () => {
    await commit(many(3));
    expect(await writer.resume({ created: 'tuesday', lastSequence: 9 })).toBe(1);
    expect(await store.progress()).toEqual({ sequence: 0, position: 3 });
    expect(await commit([result(1, 3), result(2, 4)])).toEqual(['duplicate', 'stored']);
    const { rows } = await store.events({ after: 3, limit: 9 });
    expect(rows.map(({ position }) => position)).toEqual([5]);
  });
});
