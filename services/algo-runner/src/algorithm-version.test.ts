import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Device } from '@stream-infer/algorithm';
import type { Json } from '@stream-infer/core/json';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AlgorithmModule } from './algorithm-module.ts';
import { algorithmVersion } from './algorithm-version.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-version-'));
  await writeFile(join(directory, 'a.mjs'), 'a');
  await writeFile(join(directory, 'b.mjs'), 'b');
  await writeFile(join(directory, 'm.onnx'), 'weights');
});
afterAll(() => rm(directory, { recursive: true, force: true }));

class Algorithm {
  run(): null {
    return null;
  }
}

const version = (
  file: string | undefined,
  options: Record<string, Json> = {},
  construct: object = Algorithm,
  device?: Device,
) =>
  algorithmVersion(
    { construct, ...(file !== undefined && { path: join(directory, file) }) } as AlgorithmModule,
    {
      name: 'x',
      use: file ?? 'frame-stats',
      options,
      directory,
      maxBatch: 1,
    },
    device,
  );

describe('the version of an algorithm', () => {
  test('is what its class says', async () => {
    expect(
      await version(
        'a.mjs',
        {},
        class extends Algorithm {
          static version = '2.1';
        },
      ),
    ).toBe('2.1');
  });

  test('is else a digest of its module, its options however they are ordered, and its model', async () => {
    const first = await version('a.mjs', { b: 1, a: 2 });
    expect(first).toMatch(/^[0-9a-f]{12}$/);
    expect(await version('a.mjs', { a: 2, b: 1 })).toBe(first);
    expect(await version('b.mjs', { a: 2, b: 1 })).not.toBe(first);
    expect(await version('a.mjs', { a: 2 })).not.toBe(first);
    const model = await version('a.mjs', { model: 'm.onnx' });
    await writeFile(join(directory, 'm.onnx'), 'other weights');
    expect(await version('a.mjs', { model: 'm.onnx' })).not.toBe(model);
    expect(await version('a.mjs', { model: 'nowhere.onnx' })).toMatch(/^[0-9a-f]{12}$/);
  });

  test('is another on a GPU, which computes otherwise in the last digits', async () => {
    const cpu = await version('a.mjs', {}, Algorithm, 'cpu');
    expect(cpu).toBe(await version('a.mjs'));
    expect(await version('a.mjs', {}, Algorithm, 'gpu')).not.toBe(cpu);
  });

  test('of a built-in is a digest too', async () => {
    expect(await version(undefined)).toMatch(/^[0-9a-f]{12}$/);
  });
});
