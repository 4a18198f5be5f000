/** The log of a SQLite store and the file: who copies the one into the other, and when. */

import { mkdtempSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ResultStore } from '../../services/collector/src/result-store.ts';
import { openSqliteStore } from '../../services/collector/src/sqlite-store/result-store.ts';
import type { ResultItem } from '../../services/collector/src/store-item.ts';

const MIB = 1024 * 1024;

let folder: string;
let path: string;
let reported: string[];
let store: ResultStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stream-infer-test-store-'));
  path = join(folder, 'a.sqlite');
  reported = [];
  store = openSqliteStore(path, (fault) => reported.push(`${fault.code}: ${fault.message}`));
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const results = (count: number, text: string): ResultItem[] =>
  Array.from({ length: count }, (_, index) => {
    const n = index + 1;
    return { kind: 'result', sequence: n, stream: 'cam', run: 'r1', algorithm: 'faces', n, keyMs: n, rank: 1, text };
  });

const logSize = (): number => statSync(`${path}-wal`).size;

/** Of this process, on the database and what belongs to it. */
const descriptors = (): readonly string[] =>
  readdirSync('/proc/self/fd').flatMap((name) => {
    try {
      const file = readlinkSync(`/proc/self/fd/${name}`);
      return file.startsWith(path) ? [file] : [];
    } catch {
      // The descriptor of the listing itself.
      return [];
    }
  });

async function growLog(): Promise<void> {
  const writer = await store.takeTurn(new AbortController().signal, () => undefined);
  await writer?.commit({ items: results(9_000, 'x'.repeat(4_000)), sequence: 9_000 }, 0);
  expect(logSize()).toBeGreaterThan(32 * MIB);
}

async function logBeginsAnew(): Promise<void> {
  const writer = await store.takeTurn(new AbortController().signal, () => undefined);
  let sequence = 9_000;
  await vi.waitFor(
    async () => {
      sequence += 1;
      await writer?.commit({ items: [], sequence }, 0);
      expect(logSize()).toBeLessThan(MIB);
    },
    { timeout: 10_000 },
  );
}

test('the log is taken into the file by a thread of its own once it has grown, and begins anew', async () => {
  await growLog();
  expect(statSync(path).size).toBeLessThan(MIB);
  await store.sync();
  await logBeginsAnew();
  expect(statSync(path).size).toBeGreaterThan(32 * MIB);
  expect(reported).toEqual([]);
});

test('a small log is taken into the file soon after the start: what that leaves open is all that later ones need', async () => {
  const before = statSync(path).size;
  await vi.waitFor(() => expect(statSync(path).size).toBeGreaterThan(before), { timeout: 10_000 });
  await vi.waitFor(() => expect(descriptors()).toHaveLength(4));
  const open = descriptors();
  await growLog();
  await logBeginsAnew();
  expect(descriptors()).toEqual(open);
});

test('a log that cannot be taken into the file is told of once', async () => {
  rmSync(`${path}-wal`);
  await vi.waitFor(() => expect(reported).toHaveLength(1), { timeout: 5_000 });
  await setTimeout(1_500);
  expect(reported.splice(0)).toEqual([expect.stringMatching(/^STORE_FAILED: the log of the result store .*ENOENT/)]);
});
