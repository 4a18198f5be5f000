/** The buckets by their nouns: which streams there are, which runs, which runners, and who else is here. */

import type { KeptCost } from '@stream-infer/core/invocation-cost';
import type { RegisteredStream } from '@stream-infer/core/registered-stream';
import type { AlgorithmTotals } from '@stream-infer/core/result-record';
import type { Run } from '@stream-infer/core/run';
import { type Bucket, openBucket } from './bucket.ts';
import type { Bus } from './bus.ts';
import { isAssignment, isCost, isMember, isRegisteredStream, isRun, isRunner } from './registry-values.ts';

/** A runner as it registers itself; put again each second, deleted on drain. */
export type RunnerRegistration = {
  readonly id: string;
  /** host:port of its gRPC server. */
  readonly address: string;
  /** It speaks TLS, and wants a certificate of a scheduler. Plain where absent. */
  readonly tls?: boolean;
  readonly version: string;
  readonly algorithms: readonly {
    readonly definition: string;
    readonly version: string;
    readonly concurrency: number;
    /** Windows that an instance runs at once; 1 where absent. */
    readonly maxBatch?: number;
    /** `stream`: it remembers its stream (EX-9). `none` where absent. */
    readonly state?: 'none' | 'stream';
  }[];
  readonly startedAtMs: number;
  /** Counts up with each beat. */
  readonly beat: number;
};

/** Several of a role share its streams. */
export type Role = 'ingest' | 'scheduler';

/** What an ingest or a scheduler has in hand of a realtime run: what is lost with it, if it dies (EX-11). */
export type HeldRun = {
  readonly run: string;
  readonly epoch: number;
  /** Frames that it has, and that have no fate. */
  readonly openFrames: number;
  /** Scheduler: the newest frame that it has read, by sequence and n. */
  readonly newest?: { readonly sequence: number; readonly n: number };
  /** Scheduler: by algorithm, what is settled, and how many invocations were due. */
  readonly algorithms?: Readonly<Record<string, { readonly due: number; readonly totals: AlgorithmTotals }>>;
};

/** An ingest or a scheduler as it registers itself; put again each second, deleted when it stops (D11). */
export type Member = {
  readonly id: string;
  readonly role: Role;
  readonly startedAtMs: number;
  /** Counts up with each beat. */
  readonly beat: number;
  /** By stream: its realtime runs. */
  readonly held?: Readonly<Record<string, HeldRun>>;
};

/** A scheduler's hold on a stream. Its revision is the fencing token (EX-6). */
export type SchedulerAssignment = {
  /** Id of the scheduler; empty where it gave the stream back. */
  readonly owner: string;
};

/** Key: the stream's id. */
export const openStreams = (bus: Bus): Promise<Bucket<RegisteredStream>> =>
  openBucket(bus, bus.topology.buckets.streams, isRegisteredStream);
/** Key: the stream's id; its newest run. */
export const openRuns = (bus: Bus): Promise<Bucket<Run>> => openBucket(bus, bus.topology.buckets.runs, isRun);
/** Key: the runner's id. */
export const openRunners = (bus: Bus): Promise<Bucket<RunnerRegistration>> =>
  openBucket(bus, bus.topology.buckets.runners, isRunner);
/** Key: role and id, joined by a dot. */
export const openMembers = (bus: Bus): Promise<Bucket<Member>> =>
  openBucket(bus, bus.topology.buckets.members, isMember);
/** Key: the stream's id. */
export const openAssignments = (bus: Bus): Promise<Bucket<SchedulerAssignment>> =>
  openBucket(bus, bus.topology.buckets.assignments, isAssignment);
/** Key: the algorithm's definition. What is learnt of it is kept while no runner and no scheduler runs. */
export const openCosts = (bus: Bus): Promise<Bucket<KeptCost>> => openBucket(bus, bus.topology.buckets.costs, isCost);
