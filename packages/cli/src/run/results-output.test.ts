import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ResultRecord, RunEnd } from '@stream-infer/core/result-record';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CollectorClient } from './collector-client.ts';
import { firstErrors } from './first-errors.ts';
import { resultChunks, writeResults } from './results-output.ts';

const collector: CollectorClient = {
  runEnd: () => Promise.reject(new Error('not asked for')),
  results: async ({ stream }) => Readable.from([Buffer.from(`{"faces":{"0.5":"${stream}"`), Buffer.from(',"1":2}}')]),
  recordLines: async ({ stream }) =>
    Readable.from([`{"stream":"${stream}","n":1}\n{"stream":"${stream}"`, ',"n":2}\n']),
  async *records() {
    yield* [];
  },
};

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
    await writeResults({ kind: 'file', path, format: 'json' }, [{ stream: 'a', run: 'r1' }], collector);
    expect(await readFile(path, 'utf8')).toBe('{"a":{"faces":{"0.5":"a","1":2}}}\n');
  });

  test('that cannot be written is a fault that names it', async () => {
    const path = join(directory, 'gone', 'r.json');
    await expect(
      writeResults({ kind: 'file', path, format: 'json' }, [{ stream: 'a', run: 'r1' }], collector),
    ).rejects.toMatchObject({
      code: 'OUTPUT_UNWRITABLE',
      message: expect.stringContaining(path),
    });
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
