/** What the API tells of a stream: what is registered, and how far its run has come. Never a password (I8). */

import type { FaultJson } from './fault.ts';
import type { AlgorithmTotals, RunEnd } from './result-record.ts';
import type { SourceReason, SourceState } from './source-state.ts';
import type { StreamDefinitionInput } from './stream-definition.ts';

/** A run as far as it is stored. */
export type RunReport = {
  /** Of the stream. */
  readonly id: string;
  readonly run: string;
  readonly state: 'running' | 'ended' | 'failed';
  readonly results: number;
  readonly errors: number;
  readonly end: RunEnd | null;
};

/** What its source is doing now. `unknown`: no ingest has told for some seconds. */
export type SourceNow = {
  readonly state: SourceState | 'unknown';
  readonly reason: SourceReason | null;
  /** Since 1970; null where it is not known. */
  readonly sinceMs: number | null;
  /** What it is lost by, or failed by, where its ingest tells. */
  readonly fault: FaultJson | null;
  /** Until it is opened again, 0 while it is; null where it is not lost. */
  readonly retryInMs: number | null;
  /** Decoded. */
  readonly framesPerSecond: number | null;
  readonly decoded: number | null;
  readonly published: number | null;
  readonly lastFrameAgeMs: number | null;
};

/** How one of its algorithms is getting on. `unknown`: no scheduler has told for some seconds. */
export type AlgorithmNow = AlgorithmTotals & {
  readonly state: 'followed' | 'ended' | 'unknown';
  readonly lastResultAgeMs: number | null;
  readonly lateMs: number | null;
  /** Of the newest result that is one, where its scheduler tells. */
  readonly lastError: FaultJson | null;
};

/** A stream with one of its runs; without one it waits for an ingest. */
export type StreamReport = Omit<RunReport, 'run' | 'state'> & {
  readonly run: string | null;
  readonly state: RunReport['state'] | 'waiting';
  readonly fault: FaultJson | null;
  /** Null where no run has begun since the last change. */
  readonly source: SourceNow | null;
  /** By name, as far as a scheduler has told. */
  readonly algorithms: Readonly<Record<string, AlgorithmNow>>;
  /** Null where only results are left of it. Credentials in it are redacted. */
  readonly definition: StreamDefinitionInput | null;
  readonly owner: string | null;
  /** Of what is registered; its ETag is the same in quotes. */
  readonly revision: number | null;
};
