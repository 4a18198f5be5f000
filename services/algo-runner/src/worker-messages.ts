/**
 * What the runner and an algorithm's worker thread tell each other. Frames' memory moves with its message and is not copied.
 */

import type { Frame } from '@stream-infer/algorithm';
import type { FaultJson } from '@stream-infer/core/fault';
import type { Json } from '@stream-infer/core/json';

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
  /** Run this window after the one before, unless it was taken back by then. `window` counts from 1. */
  | { readonly kind: 'run'; readonly window: number; readonly job: WindowJob }
  /** The stream's instance is wanted no more. */
  | { readonly kind: 'forget'; readonly instance: string }
  /** Close the algorithm, then end. */
  | { readonly kind: 'close' }
  /** End as soon as the thread listens again: nobody waits for it. */
  | { readonly kind: 'leave' };

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What became of a window in its worker. */
export type WorkerAnswer =
  | {
      readonly kind: 'data';
      readonly data: Uint8Array<ArrayBuffer>;
      readonly runUs: number;
      /** Of what the instance remembers behind this window. */
      readonly snapshot?: Uint8Array;
    }
  | {
      readonly kind: 'fault';
      readonly fault: FaultJson;
      readonly runUs: number;
      readonly snapshot?: Uint8Array;
      /** The instance is not where the window wants it. */
      readonly notStarted?: boolean;
      /** Where in the author's file it was thrown, for the log. */
      readonly place?: string;
    };

/** What is known of an algorithm once it is initialised. */
export type LoadedAlgorithm = { readonly version: string; readonly state: 'none' | 'stream' };

export type FromWorker =
  | { readonly kind: 'ready'; readonly loaded: LoadedAlgorithm }
  | { readonly kind: 'failed'; readonly fault: FaultJson }
  | { readonly kind: 'answer'; readonly answer: WorkerAnswer }
  | {
      readonly kind: 'log';
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: Record<string, unknown>;
    };

/** What became of a window that was handed to a worker. */
export type WindowOutcome = WorkerAnswer | { readonly kind: 'not-started' };
