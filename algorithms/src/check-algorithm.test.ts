import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Json } from '@stream-infer/core/json';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkAlgorithm } from './check-algorithm.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-check-'));
  for (const file of ['mine.mjs', 'm.onnx', 'notes.txt']) await writeFile(join(directory, file), 'x');
});
afterAll(() => rm(directory, { recursive: true }));

const check = (use: string, options: Record<string, Json> = {}): Promise<void> =>
  checkAlgorithm({ name: 'a', use, options, concurrency: 1, maxBatch: 1, maxDelayMs: 5, expectedMs: 100 }, directory);

test.each([
  ['./mine.mjs', { whatever: 1 }],
  ['frame-stats', { hash: true }],
  ['onnx-detector', { model: 'm.onnx', family: 'yolox', labels: 'notes.txt' }],
])('%s with %j is as far in order as can be told without running it', async (use, options) => {
  await expect(check(use, options)).resolves.toBeUndefined();
});

test.each([
  ['./gone.mjs', {}, 'MODULE_NOT_FOUND', /gone\.mjs does not exist/],
  ['./notes.txt', {}, 'MODULE_NOT_FOUND', /notes\.txt is not a module/],
  [
    'frame-stat',
    {},
    'MODULE_NOT_FOUND',
    /uses frame-stat, which is no built-in and no file: did you mean frame-stats\?/,
  ],
  [
    'frame-stats',
    { hasj: true },
    'ALGORITHM_OPTIONS',
    /options of algorithm "a": hasj is unknown: did you mean hash\?/,
  ],
  ['onnx-detector', { model: 'm.onnx' }, 'ALGORITHM_OPTIONS', /family is missing/],
  [
    'onnx-detector',
    { model: 'gone.onnx', family: 'yolox' },
    'MODEL_NOT_FOUND',
    /^algorithm "a": model .*gone\.onnx does not exist/,
  ],
  ['onnx', { model: '.' }, 'MODEL_CORRUPT', /is not a file/],
  [
    'onnx-detector',
    { model: 'm.onnx', family: 'yolox', labels: 'gone.txt' },
    'ALGORITHM_OPTIONS',
    /labels is "gone\.txt"/,
  ],
])('%s with %j is %s', async (use, options, code, message) => {
  await expect(check(use, options)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});
