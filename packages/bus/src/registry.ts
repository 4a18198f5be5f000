/** The buckets by their nouns: which streams there are, which runs, which runners. */

import type { Run } from '@stream-infer/core/run';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { type Bucket, openBucket } from './bucket.ts';
import type { Bus } from './bus.ts';

/** A runner as it registers itself; put again each second, deleted on drain. */
export type RunnerRegistration = {
  readonly id: string;
  /** host:port of its gRPC server. */
  readonly address: string;
  readonly version: string;
  readonly algorithms: readonly {
    readonly definition: string;
    readonly version: string;
    readonly concurrency: number;
    /** `stream`: it remembers its stream (EX-9). `none` where absent. */
    readonly state?: 'none' | 'stream';
  }[];
  readonly startedAtMs: number;
  /** Counts up with each beat. */
  readonly beat: number;
};

/** Key: the stream's id. */
export const openStreams = (bus: Bus): Promise<Bucket<StreamSpec>> => openBucket(bus, bus.topology.buckets.streams);
/** Key: the stream's id; its newest run. */
export const openRuns = (bus: Bus): Promise<Bucket<Run>> => openBucket(bus, bus.topology.buckets.runs);
/** Key: the runner's id. */
export const openRunners = (bus: Bus): Promise<Bucket<RunnerRegistration>> =>
  openBucket(bus, bus.topology.buckets.runners);
