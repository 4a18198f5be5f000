/** What the API tells of a stream: what is registered, and how far its run has come. Never a password (I8). */

import type { FaultJson } from './fault.ts';
import type { RunEnd } from './result-record.ts';
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

/** A stream with one of its runs; without one it waits for an ingest. */
export type StreamReport = Omit<RunReport, 'run' | 'state'> & {
  readonly run: string | null;
  readonly state: RunReport['state'] | 'waiting';
  readonly fault: FaultJson | null;
  /** Null where only results are left of it. Credentials in it are redacted. */
  readonly definition: StreamDefinitionInput | null;
  readonly owner: string | null;
  /** Of what is registered; its ETag is the same in quotes. */
  readonly revision: number | null;
};
