import { mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fault } from '@stream-infer/core/fault';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type WatchedFiles, watchFiles } from './watched-files.ts';

let directory: string;
let watched: WatchedFiles<string> | undefined;
const changes: string[] = [];
const faults: string[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-watched-'));
  changes.length = 0;
  faults.length = 0;
});
afterEach(async () => {
  watched?.close();
  await rm(directory, { recursive: true, force: true });
});

const at = (name: string): string => join(directory, name);
/** What two files say; `bad` is no use. */
async function watch(...names: readonly string[]): Promise<WatchedFiles<string>> {
  const paths = names.map(at);
  watched = await watchFiles({
    paths,
    async read() {
      const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8')));
      if (texts.includes('bad')) throw new Fault('CREDENTIALS_INVALID', `${paths.join()} are bad`);
      return texts.join('+');
    },
    changed: (now) => changes.push(now),
    report: ({ code, message }) => faults.push(`${code}: ${message}`),
  });
  return watched;
}

test('what they say counts once one of them is replaced, and is told of once', async () => {
  await writeFile(at('a'), 'one');
  await writeFile(at('b'), 'two');
  const files = await watch('a', 'b');
  expect(files.current).toBe('one+two');
  await writeFile(at('new'), 'three');
  await rename(at('new'), at('b'));
  await vi.waitFor(() => expect(files.current).toBe('one+three'), { timeout: 10_000 });
  expect(changes).toEqual(['one+three']);
  expect(faults).toEqual([]);
});

test('a link that leads to another file is a change', async () => {
  await writeFile(at('old'), 'old');
  await writeFile(at('young'), 'new');
  await symlink(at('old'), at('link'));
  const files = await watch('link');
  await symlink(at('young'), at('next'));
  await rename(at('next'), at('link'));
  await vi.waitFor(() => expect(files.current).toBe('new'), { timeout: 10_000 });
});

test('what is no use, or gone, is told of once, and what was good goes on to count until something good comes', async () => {
  await writeFile(at('a'), 'good');
  const files = await watch('a');
  await writeFile(at('a'), 'bad');
  await vi.waitFor(() => expect(faults).toHaveLength(1), { timeout: 10_000 });
  await rm(at('a'));
  await vi.waitFor(() => expect(faults).toHaveLength(2), { timeout: 10_000 });
  expect(faults[0]).toBe(`CREDENTIALS_INVALID: ${at('a')} are bad`);
  expect(faults[1]).toContain(`CREDENTIALS_INVALID: ${at('a')} cannot be read`);
  expect(files.current).toBe('good');
  await writeFile(at('a'), 'better');
  await vi.waitFor(() => expect(changes).toEqual(['better']), { timeout: 10_000 });
  expect(faults).toHaveLength(2);
});

test('files that are no use at the start are nobody’s', async () => {
  await writeFile(at('a'), 'bad');
  await expect(watch('a')).rejects.toMatchObject({ code: 'CREDENTIALS_INVALID' });
});
