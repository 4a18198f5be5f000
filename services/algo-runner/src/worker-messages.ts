/**
 * What the runner and an algorithm's worker thread tell each other. Frames' memory moves with its message and is not copied. A batch
 * is one window, or several where the algorithm takes them at once.
 */

import type { Device, Frame, Stage } from '@stream-infer/algorithm';
import type { FaultJson } from '@stream-infer/core/fault';
import type { Json } from '@stream-infer/core/json';
import type { Slot } from './worker-cells.ts';

/** What a worker thread is started with. */
export type WorkerSpec = {
  /** The algorithm's name in the configuration. */
  readonly name: string;
  /** A built-in's name, or the path of a module. */
  readonly use: string;
  readonly options: Readonly<Record<string, Json>>;
  /** Whether it remembers; its class says so where this does not. */
  readonly state?: 'none' | 'stream' | undefined;
  /** Absolute; relative paths are relative to it. */
  readonly directory: string;
  /** Windows that a batch holds at most. */
  readonly maxBatch: number;
  /** Where a model runs whose options do not say, and whether a GPU that is wanted must be had. */
  readonly device: Device;
  readonly requireGpu: boolean;
};

export type WorkerData = {
  readonly spec: WorkerSpec;
  /** Of its WorkerCells. */
  readonly cells: SharedArrayBuffer;
};

/** One window, as it goes to a worker. */
export type WindowJob = {
  readonly stream: string;
  readonly n: number;
  readonly key: string;
  readonly frames: readonly Frame[];
  /** Canonical JSON by algorithm. */
  readonly inputs: Readonly<Record<string, Uint8Array>>;
  /** Names the instance that is to run it, where there is one for each stream: `<stream>/<run>/<algorithm>`. */
  readonly instance: string;
  /** Where that instance must stand. */
  readonly turn?: InstanceTurn | undefined;
};

/** G-14. */
export type InstanceTurn = {
  /** n of the window that the instance has run last, 0 for none. */
  readonly afterN: number;
  /** A new one, from `snapshot` where there is one. */
  readonly begin: boolean;
  readonly snapshot?: Uint8Array | undefined;
  readonly takeSnapshot: boolean;
};

export type ToWorker =
  /** Run this batch after the one before, unless it was taken back by then. `batch` counts from 1. */
  | { readonly kind: 'run'; readonly batch: number; readonly slot: Slot; readonly jobs: readonly WindowJob[] }
  /** The stream's instance is wanted no more. */
  | { readonly kind: 'forget'; readonly instance: string }
  /** Close the algorithm, then end. */
  | { readonly kind: 'close' }
  /** End as soon as the thread listens again: nobody waits for it. */
  | { readonly kind: 'leave' };

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What became of one window of a batch. `snapshot` is of what the instance remembers behind it. */
export type WindowAnswer =
  | { readonly kind: 'data'; readonly data: Uint8Array<ArrayBuffer>; readonly snapshot?: Uint8Array }
  | {
      readonly kind: 'fault';
      readonly fault: FaultJson;
      readonly snapshot?: Uint8Array;
      /** The instance is not where the window wants it. */
      readonly notStarted?: boolean;
      /** Where in the author's file it was thrown, for the log. */
      readonly place?: string;
    };

/** How long the stages took that the algorithm told of, in microseconds. */
export type StageTimes = Readonly<Partial<Record<Stage, number>>>;

/** What became of a batch in its worker. */
export type BatchAnswer = {
  readonly runUs: number;
  readonly stagesUs: StageTimes;
  /** Of the instance that ran it; absent where none did. */
  readonly version?: string;
} & (
  | { readonly kind: 'answered'; readonly answers: readonly WindowAnswer[] }
  /** As a whole: which of its windows is to blame is not known, unless it holds one. */
  | { readonly kind: 'failed'; readonly answer: WindowAnswer }
);

/** What is known of an algorithm once it is initialised. */
export type LoadedAlgorithm = {
  readonly version: string;
  readonly state: 'none' | 'stream';
};

/** Where the model of an instance runs, as it told; why not where it should. */
export type Placement = { readonly device: Device; readonly problem?: string | undefined };

export type FromWorker =
  /** Of each instance that tells it, the first before `ready`. */
  | { readonly kind: 'placed'; readonly placement: Placement }
  | { readonly kind: 'ready'; readonly loaded: LoadedAlgorithm }
  | { readonly kind: 'failed'; readonly fault: FaultJson }
  | { readonly kind: 'answer'; readonly batch: number; readonly answer: BatchAnswer }
  | {
      readonly kind: 'log';
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: Record<string, unknown>;
    };

/** What became of a batch that was handed to a worker. */
export type BatchOutcome = BatchAnswer | { readonly kind: 'not-started' };
