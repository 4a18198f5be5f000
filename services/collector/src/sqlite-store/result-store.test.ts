import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ResultStore } from '../result-store.ts';
import type { ResultItem } from '../store-item.ts';
import { openSqliteStore } from './result-store.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stream-infer-test-store-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const results = (count: number, text: string): ResultItem[] =>
  Array.from({ length: count }, (_, index) => {
    const n = index + 1;
    return { kind: 'result', sequence: n, stream: 'cam', run: 'r1', algorithm: 'faces', n, keyMs: n, rank: 1, text };
  });

const open = (...path: string[]): ResultStore => openSqliteStore(join(folder, ...path), () => undefined);

test('a file shrinks after a removal', async () => {
  const store = open('a.sqlite');
  const writer = await store.takeTurn(new AbortController().signal, () => undefined);
  await writer?.commit({ items: results(500, 'x'.repeat(4_000)), sequence: 500 }, 0);
  const before = await store.size();
  await store.removeOldest(450);
  await store.shrink(before.fileBytes);
  expect((await store.size()).fileBytes).toBeLessThan(before.fileBytes / 2);
  await store.close();
});

test('a file of a newer collector, and one that is no database, are refused by name', async () => {
  const path = join(folder, 'b.sqlite');
  await open('b.sqlite').close();
  const database = new DatabaseSync(path);
  database.exec('PRAGMA user_version = 99');
  database.close();
  expect(() => open('b.sqlite')).toThrow(
    expect.objectContaining({
      code: 'STORE_FAILED',
      message: expect.stringMatching(/b\.sqlite has schema version 99/),
    }),
  );
  expect(() => open('missing', 'c.sqlite')).toThrow(
    expect.objectContaining({ code: 'STORE_FAILED', message: expect.stringContaining('c.sqlite') }),
  );
});
