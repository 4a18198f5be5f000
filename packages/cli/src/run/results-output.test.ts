import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ResultRecord, RunEnd } from '@stream-infer/core/result-record';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CollectorClient } from './collector-client.ts';
import type { FeedEvent } from './collector-feed.ts';
import { firstErrors } from './first-errors.ts';
import { startLiveResults } from './live-results.ts';
import { liveMode, resultChunks, writeResults } from './results-output.ts';

const collector: CollectorClient = {
  runEnd: () => Promise.reject(new Error('not asked for')),
  results: async ({ stream }) => Readable.from([Buffer.from(`{"faces":{"0.5":"${stream}"`), Buffer.from(',"1":2}}')]),
  recordLines: async ({ stream }) =>
    Readable.from([`{"stream":"${stream}","n":1}\n{"stream":"${stream}"`, ',"n":2}\n']),
  async *records() {
    yield* [];
  },
  events: () => Promise.reject(new Error('not asked for')),
};
const atEnd = { runs: [{ stream: 'a', run: 'r1' }], collector, mode: 'none', live: undefined } as const;

const written = async (format: 'json' | 'ndjson', ...streams: string[]): Promise<string> => {
  let text = '';
  const runs = streams.map((stream) => ({ stream, run: 'r1' }));
  for await (const chunk of resultChunks(format, runs, collector)) text += String(chunk);
  return text;
};

describe('results', () => {
  test('are one object by stream, ids ascending, what the collector sends as it is, a newline at the end', async () => {
    expect(await written('json', 'b', 'a')).toBe('{"a":{"faces":{"0.5":"a","1":2}},"b":{"faces":{"0.5":"b","1":2}}}\n');
    expect(await written('json')).toBe('{}\n');
  });

  test('as ndjson are the records of one stream after the other', async () => {
    expect(await written('ndjson', 'b', 'a')).toBe(
      '{"stream":"b","n":1}\n{"stream":"b","n":2}\n{"stream":"a","n":1}\n{"stream":"a","n":2}\n',
    );
  });
});

describe('a file', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stream-infer-output-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  test('takes the place of what was in it', async () => {
    const path = join(directory, 'r.json');
    await writeFile(path, 'x'.repeat(1000));
    await writeResults({ kind: 'file', path, format: 'json' }, atEnd);
    expect(await readFile(path, 'utf8')).toBe('{"a":{"faces":{"0.5":"a","1":2}}}\n');
  });

  test('that cannot be written is a fault that names it', async () => {
    const path = join(directory, 'gone', 'r.json');
    await expect(writeResults({ kind: 'file', path, format: 'json' }, atEnd)).rejects.toMatchObject({
      code: 'OUTPUT_UNWRITABLE',
      message: expect.stringContaining(path),
    });
  });
});

describe('records that were written while streams played', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stream-infer-lines-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  async function* events(...texts: string[]): AsyncGenerator<FeedEvent, void, void> {
    for (const text of texts) yield { kind: 'result', text };
    yield { kind: 'end', stream: 'a' };
    await new Promise(() => undefined);
  }
  const ONE = '{"stream":"a","n":1}';
  const TWO = '{"stream":"a","n":2}';

  test.each([
    ['in their order stay as they are', [ONE, TWO], true],
    ['in another are replaced in one step', [TWO, ONE], false],
  ])('%s', async (_, texts, stays) => {
    const path = join(directory, 'r.ndjson');
    await writeFile(path, 'an earlier run, far longer than what comes now, so that it would show through\n');
    const target = { kind: 'file', path, format: 'ndjson' } as const;
    const mode = await liveMode(target, false);
    const live = await startLiveResults(target, { events: async () => events(...texts) });
    const lines = await live.finish(['a']);
    expect(await readFile(path, 'utf8')).toBe(`${texts.join('\n')}\n`);
    const { ino } = await stat(path);
    await writeResults(target, { ...atEnd, mode, live: lines });
    expect(await readFile(path, 'utf8')).toBe(`${ONE}\n${TWO}\n`);
    expect((await stat(path)).ino === ino).toBe(stays);
    expect(await readdir(directory)).toEqual(['r.ndjson']);
  });

  test('leave an earlier file alone until the first comes', async () => {
    const path = join(directory, 'r.ndjson');
    await writeFile(path, 'earlier');
    const live = await startLiveResults({ kind: 'file', path, format: 'ndjson' }, { events: async () => events() });
    expect(await live.finish(['a'])).toBeUndefined();
    expect(await readFile(path, 'utf8')).toBe('earlier');
  });

  test('that cannot be written are a fault at once', async () => {
    const target = { kind: 'file', path: '/dev/full', format: 'ndjson' } as const;
    expect(await liveMode(target, true)).toBe('as-they-come');
    expect(await liveMode(target, false)).toBe('none');
    const live = await startLiveResults(target, { events: async () => events(ONE) });
    expect(await live.failed).toMatchObject({
      code: 'OUTPUT_UNWRITABLE',
      message: expect.stringContaining('/dev/full'),
    });
    await live.finish([]);
  });
});

describe('the first error', () => {
  const end = (failed: Record<string, number>): RunEnd =>
    ({
      stream: 'a',
      algorithms: Object.fromEntries(
        Object.entries(failed).map(([name, count]) => [
          name,
          { triggered: 9, completed: 9 - count, failed: count, dropped: {} },
        ]),
      ),
    }) as unknown as RunEnd;

  test('of each algorithm that failed is found, and no record after the last of them is read', async () => {
    let read = 0;
    const record = (algorithm: string, key: string, message?: string): ResultRecord =>
      ({ algorithm, key, ...(message && { error: { code: 'ALGORITHM_FAILED', message } }) }) as unknown as ResultRecord;
    async function* records(): AsyncGenerator<ResultRecord, void, void> {
      for (const one of [
        record('a', '1'),
        record('a', '2', 'x'),
        record('a', '3', 'y'),
        record('b', '3', 'z'),
        record('b', '4', 'u'),
      ]) {
        read += 1;
        yield one;
      }
    }
    const found = await firstErrors({ records }, end({ a: 2, b: 2, c: 0 }));
    expect([...found]).toEqual([
      ['a', { key: '2', error: { code: 'ALGORITHM_FAILED', message: 'x' } }],
      ['b', { key: '3', error: { code: 'ALGORITHM_FAILED', message: 'z' } }],
    ]);
    expect(read).toBe(4);
  });

  test('is not looked for where nothing failed', async () => {
    const records = (): never => {
      throw new Error('asked');
    };
    expect((await firstErrors({ records }, end({ a: 0 }))).size).toBe(0);
    expect((await firstErrors({ records }, undefined)).size).toBe(0);
  });
});
