import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDataFolder } from './data-folder.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-data-'));
});
afterEach(() => rm(directory, { recursive: true }));

test('a data folder is made, and keeps the limit of its results', async () => {
  const first = await openDataFolder(join(directory, 'new', 'data'));
  expect(first.storePath).toBe(join(directory, 'new', 'data', 'results.sqlite'));
  await writeFile(join(directory, 'new', 'data', 'results-max-bytes'), '12345678');
  await first.release();
  const again = await openDataFolder(join(directory, 'new', 'data'));
  expect(again.server).toEqual({ directory: join(directory, 'new', 'data', 'nats'), resultsMaxBytes: 12_345_678 });
});

test('a process that is gone, or is no stream-infer up, holds no data folder', async () => {
  for (const pid of ['', '999999999', '1']) {
    await writeFile(join(directory, 'up.pid'), pid);
    const folder = await openDataFolder(directory);
    expect(await readFile(join(directory, 'up.pid'), 'utf8')).toBe(String(process.pid));
    await folder.release();
  }
});

test('a path that is no folder is refused', async () => {
  await writeFile(join(directory, 'file'), '');
  await expect(openDataFolder(join(directory, 'file', 'data'))).rejects.toMatchObject({ code: 'OUTPUT_UNWRITABLE' });
});
