/**
 * The instances of one algorithm in this runner: `concurrency` worker threads, and another for each that is lost, so that one
 * batch that never returns, or one that ends its thread, costs its own windows and nothing else (I6).
 */

import { Fault, toFault } from '@stream-infer/core/fault';
import type { LoadedAlgorithm, Placement, WindowJob, WorkerSpec } from './worker-messages.ts';
import { type HandedBatch, type WorkerEvents, type WorkerState, WorkerThread } from './worker-thread.ts';

export type WorkerPoolEvents = Pick<WorkerEvents, 'log' | 'placed'> & {
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
  /** Of the first that was initialised; a worker that takes another's place may say something else. */
  #loaded: LoadedAlgorithm = { version: '', state: 'none' };
  /** Where there is an instance for each stream: which worker has it. */
  readonly #homes = new Map<string, WorkerThread>();
  #fruitless = 0;
  #closed = false;

  constructor(spec: WorkerSpec, concurrency: number, events: WorkerPoolEvents) {
    this.#spec = spec;
    this.#concurrency = concurrency;
    this.#events = events;
  }

  /** Starts all instances. Rejects with the fault of the first that cannot run, or has no thread (THREAD_REFUSED). */
  async start(): Promise<void> {
    const [loaded] = await Promise.all(Array.from({ length: this.#concurrency }, () => this.#add().started()));
    if (loaded) this.#loaded = loaded;
  }

  /** The algorithm's version, of the oldest worker that takes batches; empty before `start`. A model's may differ from device to device. */
  get version(): string {
    const [version = this.#loaded.version] = this.versions;
    return version;
  }

  /** Of all workers that take batches, each once. */
  get versions(): readonly string[] {
    return [...new Set(this.#alive.flatMap(({ loaded }) => loaded?.version ?? []))];
  }

  /** Whether it remembers its streams; `none` before `start`. */
  get state(): LoadedAlgorithm['state'] {
    return this.#loaded.state;
  }

  /** Where its model runs, by worker, where the algorithm has told. */
  get placements(): readonly Placement[] {
    return this.#alive.flatMap(({ placement }) => placement ?? []);
  }

  get #alive(): readonly WorkerThread[] {
    return [...this.#workers].filter(({ isAlive }) => isAlive);
  }

  count(state: WorkerState['kind']): number {
    return [...this.#workers].reduce((sum, worker) => sum + (worker.state === state ? 1 : 0), 0);
  }

  /** Whether a worker can take a batch of this instance, or of any where there are none. */
  hasRoom(instance: string): boolean {
    return this.#workerFor(instance) !== undefined;
  }

  /** Whether a worker has nothing to run. */
  isIdle(): boolean {
    return this.count('idle') > 0;
  }

  /** Hands one batch, of one instance where there are several, to a worker, for which there must be room. */
  hand(jobs: readonly WindowJob[], timeoutMs: number): HandedBatch {
    const instance = jobs[0]?.instance ?? '';
    const worker = this.#workerFor(instance);
    if (!worker) throw new Fault('INTERNAL', `algorithm "${this.#spec.name}": no worker has room`);
    if (this.state === 'stream') this.#homes.set(instance, worker);
    const handed = worker.hand(jobs, timeoutMs);
    void handed.outcome.then(() => {
      this.#fruitless = 0;
    });
    return handed;
  }

  /** What its workers run now is the last. */
  drain(): void {
    for (const worker of this.#workers) worker.drain();
  }

  /** The stream of this instance is over. */
  forget(instance: string): void {
    this.#homes.get(instance)?.forget(instance);
    this.#homes.delete(instance);
  }

  #workerFor(instance: string): WorkerThread | undefined {
    const home = this.state === 'stream' ? this.#homes.get(instance) : undefined;
    if (home?.isAlive) return home.hasRoom(this.#inAdvance) ? home : undefined;
    const free = [...this.#workers].filter((worker) => worker.hasRoom(this.#inAdvance));
    if (this.state === 'none' || free.length < 2) return free[0];
    const streams = (worker: WorkerThread): number => [...this.#homes.values()].filter((one) => one === worker).length;
    return free.reduce((best, worker) => (streams(worker) < streams(best) ? worker : best));
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
      placed: this.#events.placed,
      room: () => this.#events.room(),
      lost: (_, reason) => this.#lost(reason),
      ended: (ended) => this.#ended(ended),
    });
    this.#workers.add(worker);
    return worker;
  }

  #ended(worker: WorkerThread): void {
    this.#workers.delete(worker);
    for (const [instance, home] of this.#homes) if (home === worker) this.#homes.delete(instance);
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
    this.#replace().then(
      () => this.#events.room(),
      (error: unknown) => {
        if (!this.#closed) this.#events.failed(toFault(error, 'ALGORITHM_INIT_FAILED'));
      },
    );
  }

  /** Rejects with the fault that keeps another worker from taking the place of a lost one. */
  async #replace(): Promise<void> {
    await this.#add().started();
  }
}
