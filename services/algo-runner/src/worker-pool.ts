/**
 * The instances of one algorithm in this runner: `concurrency` worker threads, and another for each that is lost, so that one
 * batch that never returns, or one that ends its thread, costs its own windows and nothing else (I6).
 */

import { Fault, toFault } from '@stream-infer/core/fault';
import type { WindowJob, WorkerSpec } from './worker-messages.ts';
import { type HandedBatch, type WorkerEvents, type WorkerState, WorkerThread } from './worker-thread.ts';

export type WorkerPoolEvents = Pick<WorkerEvents, 'log'> & {
  /** A worker can take a batch. */
  room(): void;
  /** A worker was lost and another is being started. */
  lost(reason: string): void;
  /** A worker that was to take the place of a lost one cannot be had: the algorithm serves no more. */
  failed(fault: Fault): void;
};

/** Workers that end one after the other without having answered anything: the algorithm itself is broken. */
const FRUITLESS_LIMIT = 5;

export class WorkerPool {
  readonly #spec: WorkerSpec;
  readonly #concurrency: number;
  readonly #events: WorkerPoolEvents;
  readonly #workers = new Set<WorkerThread>();
  #version = '';
  #fruitless = 0;
  #closed = false;

  constructor(spec: WorkerSpec, concurrency: number, events: WorkerPoolEvents) {
    this.#spec = spec;
    this.#concurrency = concurrency;
    this.#events = events;
  }

  /** Starts all instances. Rejects with the fault of the first that cannot run. */
  async start(): Promise<void> {
    const versions = await Promise.all(Array.from({ length: this.#concurrency }, () => this.#add().started()));
    this.#version = versions[0] ?? '';
  }

  /** The algorithm's version; empty before `start`. */
  get version(): string {
    return this.#version;
  }

  count(state: WorkerState['kind']): number {
    return [...this.#workers].reduce((sum, worker) => sum + (worker.state === state ? 1 : 0), 0);
  }

  /** Whether a worker can take a batch. */
  hasRoom(): boolean {
    return [...this.#workers].some((worker) => worker.hasRoom(this.#inAdvance));
  }

  /** Whether a worker has nothing to run. */
  isIdle(): boolean {
    return this.count('idle') > 0;
  }

  /** Hands one batch to a worker, for which there must be room. */
  hand(jobs: readonly WindowJob[], timeoutMs: number): HandedBatch {
    const worker = [...this.#workers].find((one) => one.hasRoom(this.#inAdvance));
    if (!worker) throw new Fault('INTERNAL', `algorithm "${this.#spec.name}": no worker has room`);
    const handed = worker.hand(jobs, timeoutMs);
    void handed.outcome.then(() => {
      this.#fruitless = 0;
    });
    return handed;
  }

  /**
   * A lone worker gets its next window in advance; of several, whichever is free first takes it. What is to be a batch goes on filling
   * until a worker is free, and what it holds can be replaced.
   */
  get #inAdvance(): boolean {
    return this.#concurrency === 1 && this.#spec.maxBatch === 1;
  }

  /** Whether the process cannot end while a thread is where it is (D7). */
  get holdsProcess(): boolean {
    return [...this.#workers].some((worker) => worker.holdsProcess);
  }

  /** Closes what is idle; idempotent, in bounded time. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#workers].map((worker) => worker.close()));
  }

  #add(): WorkerThread {
    const worker = new WorkerThread(this.#spec, {
      log: this.#events.log,
      room: () => this.#events.room(),
      lost: (_, reason) => this.#lost(reason),
      ended: (ended) => this.#workers.delete(ended),
    });
    this.#workers.add(worker);
    return worker;
  }

  #lost(reason: string): void {
    if (this.#closed) return;
    this.#fruitless += 1;
    if (this.#fruitless > FRUITLESS_LIMIT) {
      const problem = `${FRUITLESS_LIMIT} workers ended without an answer, the last so: ${reason}`;
      this.#events.failed(new Fault('ALGORITHM_INIT_FAILED', `algorithm "${this.#spec.name}": ${problem}`));
      return;
    }
    this.#events.lost(reason);
    this.#add()
      .started()
      .then(
        () => this.#events.room(),
        (error: unknown) => {
          if (!this.#closed) this.#events.failed(toFault(error, 'ALGORITHM_INIT_FAILED'));
        },
      );
  }
}
