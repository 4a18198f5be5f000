/**
 * The store of results, whatever keeps it: one SQLite file, written by one collector (sqlite-store), or a PostgreSQL database that
 * several share (postgres-store). Who opens it closes it. What may be long is split into pages and steps by the caller.
 *
 * Each method may reject with a fault that is over when the store can be had again (store-absence.ts); then nothing was changed.
 */

import type { ResultStreamFacts } from '@stream-infer/bus/result-reader';
import type { ResultQueries } from './result-queries.ts';
import type { StoreItem } from './store-item.ts';

/** What became of an item: new, in the place of one with a lower rank, or known already. */
export type StoreOutcome = 'stored' | 'replaced' | 'duplicate';

export type StoreBatch = {
  /** In order. */
  readonly items: readonly StoreItem[];
  /** The last sequence that the batch speaks for, that of an item or of a message that was none. */
  readonly sequence: number;
};

/**
 * Takes what comes from RESULTS into the store. Each place (stream, run, algorithm, n) has one row, of the highest rank that came
 * (I5, EX-6); the results, the runs' ends, the counts and the progress in RESULTS are committed together or not at all.
 */
export type ResultWriter = {
  /** The sequence to read from in this RESULTS. */
  resume(stream: ResultStreamFacts): Promise<number>;
  /** One transaction; the outcome of each item. Rejects with the store's errors, and then nothing is stored. */
  commit(batch: StoreBatch, nowMs: number): Promise<StoreOutcome[]>;
  /** Gives up the turn. Idempotent. */
  close(): Promise<void>;
};

export type StoreTurns = {
  /**
   * Waits for the turn to write, which one process has at a time, so that results are committed in the order of RESULTS. Undefined where the
   * signal aborted before.
   * @param onWaiting called when another has the turn
   */
  takeTurn(signal: AbortSignal, onWaiting: () => void): Promise<ResultWriter | undefined>;
};

export type Removal = {
  readonly removed: number;
  /** The position up to which nothing is left, 0 where nothing was removed. */
  readonly through: number;
};

export type ResultRemoval = {
  /** When the oldest result was stored, in milliseconds since 1970; undefined where there is none. */
  oldestStoredAtMs(): Promise<number | undefined>;
  /** Removes the oldest results, `limit` at most; with `beforeMs` only those stored before then. */
  removeOldest(limit: number, beforeMs?: number): Promise<Removal>;
  /** Forgets runs without results that ended by then or by that position; returns how many. */
  forgetRuns(by: { readonly endedBeforeMs?: number; readonly endedThrough?: number }): Promise<number>;
  /** Removes results of one series up to a position, `limit` at most; returns how many. */
  clearSeries(seriesId: number, through: number, limit: number): Promise<number>;
};

export type StoreSize = {
  /** What the results take, and what is free again does not count in. */
  readonly usedBytes: number;
  /** Of the files. */
  readonly fileBytes: number;
};

export type StoreUpkeep = {
  size(): Promise<StoreSize>;
  /** Gives about so many free bytes back to the file system, where the store can. */
  shrink(bytes: number): Promise<void>;
  /** Puts all that is committed where a power cut leaves it. */
  sync(): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
};

export type ResultStore = StoreTurns & ResultQueries & ResultRemoval & StoreUpkeep;
