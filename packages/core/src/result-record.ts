/**
 * What is known of one result: the message on the bus, the row of the store, the line of results.ndjson, the item of
 * the API, all the same canonical JSON (docs/protocol.md).
 */

import type { FaultJson } from './fault.ts';
import type { Json } from './json.ts';

export type ResultRecord = {
  readonly stream: string;
  readonly run: string;
  readonly algorithm: string;
  /** Of the window's newest frame, as is all of the next four. */
  readonly n: number;
  /** Time key: n / fps in seconds, truncated to the millisecond. */
  readonly key: string;
  readonly sourceIndex: number;
  /** Presentation time, to the microsecond. */
  readonly timestampMs: number;
  /** Wall clock, milliseconds since 1970; null offline. */
  readonly capturedAtMs: number | null;
  /** Present unless `error` is. */
  readonly data?: Json;
  readonly error?: FaultJson;
  /** How often the invocation was sent, from 1. */
  readonly attempts: number;
  /** By how much the result came later than one interval after its frame; null offline. */
  readonly lateMs: number | null;
  readonly stateReset: boolean;
  /** Version of the algorithm that answered; empty where none did. */
  readonly version: string;
};

/** Totals of one algorithm over a run. completed + failed + the sum of dropped is triggered (I1). */
export type AlgorithmTotals = {
  readonly triggered: number;
  readonly completed: number;
  readonly failed: number;
  /** Realtime: invocations that were due and never answered, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
};

export const NO_TOTALS: AlgorithmTotals = { triggered: 0, completed: 0, failed: 0, dropped: {} };

/** The last message of a run on the bus, after all of its results. */
export type RunEnd = {
  readonly stream: string;
  readonly run: string;
  readonly decoded: number;
  readonly played: number;
  readonly published: number;
  readonly lastPlayed: number;
  readonly algorithms: Readonly<Record<string, AlgorithmTotals>>;
  readonly elapsedMs: number;
  /** Why the run ended other than by its source's end. */
  readonly fault: FaultJson | null;
};
