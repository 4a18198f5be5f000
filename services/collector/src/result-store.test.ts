import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openResultStore, type ResultStore } from './result-store.ts';
import { RANK, type Rank, type StoreItem } from './store-item.ts';

const RESULTS = { created: 'monday', lastSequence: 1_000_000 };

let store: ResultStore;
beforeEach(() => {
  store = openResultStore(':memory:');
  store.resume(RESULTS);
});
afterEach(() => store.close());

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
const commit = (items: readonly StoreItem[], nowMs = 0, into = store): string[] =>
  into.commit({ items, sequence: items.at(-1)?.sequence ?? 0 }, nowMs);
const records = (from = store): string[] =>
  from.records({ runId: from.run('cam')?.id ?? 0, limit: 1_000 }).rows.map((row) => row.record);

describe('a commit', () => {
  test('stores each place once, with the highest rank that came (I5)', () => {
    expect(commit([result(1, 1), result(2, 1), result(3, 2, 'faces', RANK.error)])).toEqual([
      'stored',
      'duplicate',
      'stored',
    ]);
    expect(commit([result(4, 2), result(5, 2, 'faces', RANK.error), result(6, 2)])).toEqual([
      'replaced',
      'duplicate',
      'duplicate',
    ]);
    expect(records()).toEqual(['1:1.faces', '4:2.faces']);
    expect(store.run('cam')).toMatchObject({ results: 2, errors: 0 });
  });

  test('keeps the first end of a run, and the newest run is the one first heard of last', () => {
    expect(commit([result(1, 1), end(2), end(3), result(4, 1, 'faces', RANK.success, 'r0')])).toEqual([
      'stored',
      'stored',
      'duplicate',
      'stored',
    ]);
    expect(commit([result(5, 2)])).toEqual(['stored']);
    expect(store.run('cam')).toMatchObject({ run: 'r0', end: null });
    expect(store.run('cam', 'r1')).toMatchObject({ end: 'end r1', results: 2 });
    expect(store.streams().map(({ run }) => run)).toEqual(['r0']);
    expect(store.runs('cam').map(({ run }) => run)).toEqual(['r0', 'r1']);
  });

  test('that fails stores nothing, and is as if it had not been', () => {
    commit([result(1, 1)]);
    const clash = { ...result(2, 2), text: undefined as unknown as string };
    expect(() => commit([result(2, 9), clash as StoreItem])).toThrow();
    expect(records()).toEqual(['1:1.faces']);
    expect(store.lastPosition()).toBe(1);
    expect(commit([result(2, 2)])).toEqual(['stored']);
  });
});

describe('what is read', () => {
  test('records come by n, then algorithm, in pages', () => {
    commit([result(1, 1, 'b'), result(2, 2, 'b'), result(3, 1, 'a'), result(4, 10, 'a'), result(5, 2, 'a')]);
    const runId = store.run('cam')?.id ?? 0;
    const first = store.records({ runId, limit: 3 });
    expect(first.rows.map((row) => row.record)).toEqual(['3:1.a', '1:1.b', '5:2.a']);
    expect(first.last).toBe(false);
    const second = store.records({ runId, after: { n: 2, algorithm: 'a' }, limit: 3 });
    expect(second).toMatchObject({ last: true, rows: [{ record: '2:2.b' }, { record: '4:10.a' }] });
    expect(store.records({ runId, algorithm: 'b', limit: 2 }).last).toBe(true);
  });

  test('a page ends where its texts grow large', () => {
    commit(Array.from({ length: 9 }, (_, index) => ({ ...result(index + 1, index + 1), text: 'x'.repeat(10_000) })));
    const { rows, last } = store.records({ runId: store.run('cam')?.id ?? 0, limit: 100 });
    expect([rows.length, last]).toEqual([4, false]);
  });

  test('events come by position, ends among them; a filter hides texts and keeps positions', () => {
    commit([result(1, 1, 'a'), result(2, 1, 'b'), end(3), result(4, 2, 'a')]);
    const events = (query: { stream?: string; algorithm?: string } = {}) =>
      store.events({ after: 1, limit: 10, ...query }).rows.map(({ position, text }) => [position, text]);
    expect(events()).toEqual([
      [2, '2:1.b'],
      [3, 'end r1'],
      [4, '4:2.a'],
    ]);
    expect(events({ algorithm: 'a' })).toEqual([
      [2, null],
      [3, 'end r1'],
      [4, '4:2.a'],
    ]);
    expect(events({ stream: 'other' })).toEqual([
      [2, null],
      [3, null],
      [4, null],
    ]);
  });
});

describe('removal', () => {
  test('takes the oldest first, keeps the counts, and forgets an ended run of which nothing is left', () => {
    commit([result(1, 1, 'a', RANK.error, 'r0'), result(2, 2, 'a', RANK.success, 'r0'), end(3, 'r0')], 1_000);
    commit([result(4, 1), result(5, 2)], 2_000);
    expect(store.oldestStoredAtMs()).toBe(1_000);
    expect(store.removeOldest(1)).toEqual({ removed: 1, through: 1 });
    expect(store.run('cam', 'r0')).toMatchObject({ results: 1, errors: 0 });
    expect(store.forgetRuns({ endedThrough: 2 })).toBe(0);
    expect(store.removeOldest(10, 2_000)).toEqual({ removed: 1, through: 2 });
    expect(store.removeOldest(10, 2_000)).toEqual({ removed: 0, through: 0 });
    expect(store.forgetRuns({ endedThrough: 3 })).toBe(1);
    expect(store.run('cam', 'r0')).toBeUndefined();
    expect(store.run('cam')).toMatchObject({ run: 'r1', results: 2 });
  });

  test('of a series stops at a position', () => {
    commit([result(1, 1), result(2, 2), result(3, 3, 'other'), result(4, 4)]);
    const [faces] = store.series(store.run('cam')?.id ?? 0, 'faces');
    expect(store.clearSeries(faces?.id ?? 0, 2, 10)).toBe(2);
    expect(records()).toEqual(['3:3.other', '4:4.faces']);
    expect(store.run('cam')).toMatchObject({ results: 2 });
  });
});

describe('a file', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'stream-infer-test-store-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('is gone on with where it was left, and shrinks after a removal', () => {
    const path = join(folder, 'a.sqlite');
    const first = openResultStore(path);
    first.resume(RESULTS);
    commit(
      Array.from({ length: 500 }, (_, index) => ({ ...result(index + 1, index + 1), text: 'x'.repeat(4_000) })),
      0,
      first,
    );
    first.close();
    first.close();
    const second = openResultStore(path);
    expect(second.resume(RESULTS)).toBe(501);
    expect(second.lastPosition()).toBe(500);
    expect(commit([result(501, 500)], 0, second)).toEqual(['duplicate']);
    const before = second.size();
    second.removeOldest(450);
    expect(second.size().usedBytes).toBeLessThan(before.usedBytes / 2);
    second.shrink(before.fileBytes);
    expect(second.size().fileBytes).toBeLessThan(before.fileBytes / 2);
    expect(second.checkpoint()).toBe(true);
    second.close();
  });

  test('of a newer collector, and one that is no database, are refused by name', () => {
    const path = join(folder, 'b.sqlite');
    openResultStore(path).close();
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 99');
    database.close();
    expect(() => openResultStore(path)).toThrow(
      expect.objectContaining({
        code: 'STORE_FAILED',
        message: expect.stringMatching(/b\.sqlite has schema version 99/),
      }),
    );
    expect(() => openResultStore(join(folder, 'missing', 'c.sqlite'))).toThrow(
      expect.objectContaining({ code: 'STORE_FAILED', message: expect.stringContaining('c.sqlite') }),
    );
  });
});
