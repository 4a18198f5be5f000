/**
 * One worker thread as the runner sees it.
 *
 * Invariants (D7): a thread that has loaded a native module is never terminated, because that aborts the whole process; past its
 * limit it is set aside, and ends by itself when it next listens. A thread of JavaScript alone is ended at once. Whatever happens to
 * the thread, each batch that it was handed is answered exactly once.
 *
 * A thread may be handed its next batch while it runs one, so that it begins it without waiting for the runner's event loop (some
 * 2 ms for each window of 230 kB on two busy cores, next to 8 ms of inference). Until it has begun, that one can be taken back.
 */

import type { Worker } from 'node:worker_threads';
import { Fault, type FaultJson } from '@stream-infer/core/fault';
import { redactUrl } from '@stream-infer/core/redact-url';
import { createWorker } from './create-worker.ts';
import { type Slot, WorkerCells } from './worker-cells.ts';
import type {
  BatchAnswer,
  BatchOutcome,
  FromWorker,
  LoadedAlgorithm,
  LogLevel,
  Placement,
  ToWorker,
  WindowJob,
  WorkerSpec,
} from './worker-messages.ts';

/** A batch in the thread's hands. */
type InHand = {
  /** Its number, from 1. */
  readonly batch: number;
  readonly slot: Slot;
  readonly timeoutMs: number;
  readonly settle: (outcome: BatchOutcome) => void;
};

/** A batch that was handed over. */
export type HandedBatch = {
  /** Never rejects. */
  readonly outcome: Promise<BatchOutcome>;
  /** Takes it back, where it was handed in advance and the thread has not begun it: its outcome is `not-started`. */
  takeBack(): void;
};

export type WorkerState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'running';
      readonly current: InHand;
      readonly next: InHand | undefined;
      readonly limit: NodeJS.Timeout;
    }
  /** Past its limit, and still inside the author's or native code. */
  | { readonly kind: 'set-aside' }
  | { readonly kind: 'closing' }
  | { readonly kind: 'ended' };

type Running = Extract<WorkerState, { readonly kind: 'running' }>;

export type WorkerEvents = {
  log(level: LogLevel, message: string, fields: Record<string, unknown>): void;
  /** An instance in it told where its model runs. */
  placed(placement: Placement): void;
  /** The thread can take another batch. */
  room(worker: WorkerThread): void;
  /** The thread takes no more batches: past its limit, or ended though nobody told it to. */
  lost(worker: WorkerThread, reason: string): void;
  /** The thread is gone. */
  ended(worker: WorkerThread): void;
};

const INIT_LIMIT_MS = 120_000;
const CLOSE_LIMIT_MS = 2_000;
/** How long an answer that is on its way may take. */
const ANSWER_GRACE_MS = 100;

export class WorkerThread {
  readonly #spec: WorkerSpec;
  readonly #events: WorkerEvents;
  readonly #cells = new WorkerCells();
  readonly #worker: Worker;
  readonly #started = Promise.withResolvers<LoadedAlgorithm>();
  readonly #ended = Promise.withResolvers<void>();
  #state: WorkerState = { kind: 'starting' };
  #batches = 0;
  #loaded: LoadedAlgorithm | undefined;
  #placement: Placement | undefined;
  /** What the thread did not catch. */
  #uncaught: Error | undefined;

  /** Throws THREAD_REFUSED. */
  constructor(spec: WorkerSpec, events: WorkerEvents) {
    this.#spec = spec;
    this.#events = events;
    this.#worker = createWorker({ spec, cells: this.#cells.memory });
    this.#worker.on('message', (message: FromWorker) => this.#heard(message));
    this.#worker.on('messageerror', (error) => this.#events.log('error', error.message, {}));
    this.#worker.on('error', (error) => {
      this.#uncaught = error instanceof Error ? error : new Error(String(error));
    });
    this.#worker.on('exit', (status) => this.#exited(status));
  }

  get state(): WorkerState['kind'] {
    return this.#state.kind;
  }

  /** What is known of the algorithm; undefined until it is initialised. */
  get loaded(): LoadedAlgorithm | undefined {
    return this.#loaded;
  }

  /** Where the model of its newest instance runs, where that has told. */
  get placement(): Placement | undefined {
    return this.#placement;
  }

  /**
   * What is known of the algorithm, once it is initialised. Rejects with the fault that keeps it from running; ALGORITHM_INIT_FAILED where `init`
   * does not return within two minutes or its thread ends.
   */
  async started(): Promise<LoadedAlgorithm> {
    const { name } = this.#spec;
    const limit = setTimeout(() => {
      const problem = `init did not return within ${INIT_LIMIT_MS / 1000} s`;
      this.#started.reject(new Fault('ALGORITHM_INIT_FAILED', `algorithm "${name}": ${problem}: make it faster`));
    }, INIT_LIMIT_MS);
    try {
      return await this.#started.promise;
    } finally {
      clearTimeout(limit);
    }
  }

  /** Whether it can be handed a batch: now, or in advance. */
  hasRoom(inAdvance: boolean): boolean {
    return this.#state.kind === 'idle' || (inAdvance && this.#state.kind === 'running' && !this.#state.next);
  }

  /** Hands it one batch, for which there must be room; the frames' memory goes with it. */
  hand(jobs: readonly WindowJob[], timeoutMs: number): HandedBatch {
    const { promise, resolve } = Promise.withResolvers<BatchOutcome>();
    this.#batches += 1;
    const slot: Slot = this.#state.kind === 'running' && this.#state.current.slot === 0 ? 1 : 0;
    const inHand: InHand = { batch: this.#batches, slot, timeoutMs, settle: resolve };
    const { batch } = inHand;
    if (this.#state.kind === 'idle') this.#state = this.#running(inHand);
    else if (this.#state.kind === 'running' && !this.#state.next) this.#state = { ...this.#state, next: inHand };
    else throw new Fault('INTERNAL', `a worker that is ${this.#state.kind} was handed a batch`);
    this.#cells.offer(slot, batch);
    const buffers = jobs.flatMap(({ frames }) => frames.map(({ data }) => data.buffer as ArrayBuffer));
    this.#tell({ kind: 'run', batch, slot, jobs }, [...new Set(buffers)]);
    return { outcome: promise, takeBack: () => this.#takeBack(batch) };
  }

  /** Whether it takes batches, now or once it has done with those in hand. */
  get isAlive(): boolean {
    return ['starting', 'idle', 'running'].includes(this.#state.kind);
  }

  /** What it runs now is the last: an instance with memory gives a snapshot with it. */
  drain(): void {
    this.#cells.markDraining();
  }

  /** The instance is wanted no more, behind what is in hand. */
  forget(instance: string): void {
    if (this.isAlive) this.#tell({ kind: 'forget', instance });
  }

  /** Closes the algorithm and ends the thread, in bounded time; a thread that is inside a batch or `init` is left to itself. */
  async close(): Promise<void> {
    if (this.#state.kind === 'running' || this.#state.kind === 'starting') return;
    if (this.#state.kind === 'idle') {
      this.#state = { kind: 'closing' };
      this.#tell({ kind: 'close' });
    }
    await Promise.race([this.#ended.promise, timeLimit(CLOSE_LIMIT_MS)]);
  }

  /** Whether the process cannot end while this thread is where it is (D7). */
  get holdsProcess(): boolean {
    return this.#cells.native && this.#state.kind !== 'idle' && this.#state.kind !== 'ended';
  }

  #tell(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #heard(message: FromWorker): void {
    switch (message.kind) {
      case 'placed':
        this.#placement = message.placement;
        this.#events.placed(message.placement);
        return;
      case 'ready':
        this.#loaded = message.loaded;
        if (this.#state.kind === 'starting') this.#state = { kind: 'idle' };
        this.#started.resolve(message.loaded);
        return;
      case 'failed':
        this.#started.reject(new Fault(message.fault.code, message.fault.message));
        return;
      case 'log':
        this.#events.log(message.level, message.message, message.fields);
        return;
      case 'answer':
        // An answer after the limit answers nothing.
        if (this.#state.kind === 'running' && this.#state.current.batch === message.batch)
          this.#answered(this.#state, message.answer);
    }
  }

  #running(current: InHand): WorkerState {
    return { kind: 'running', current, next: undefined, limit: setTimeout(() => this.#overran(), current.timeoutMs) };
  }

  #answered({ current, next, limit }: Running, answer: BatchAnswer): void {
    clearTimeout(limit);
    this.#state = next ? this.#running(next) : { kind: 'idle' };
    current.settle(answer);
    this.#events.room(this);
  }

  #takeBack(batch: number): void {
    if (this.#state.kind !== 'running' || this.#state.next?.batch !== batch) return;
    if (!this.#cells.claim(this.#state.next.slot, batch)) return;
    const { settle } = this.#state.next;
    this.#state = { ...this.#state, next: undefined };
    settle({ kind: 'not-started' });
  }

  #overran(): void {
    if (this.#state.kind !== 'running') return;
    if (this.#state.next) {
      this.#takeBack(this.#state.next.batch);
      // The thread has begun the next batch, so the answer is on its way.
      if (this.#state.next) {
        this.#state = { ...this.#state, limit: setTimeout(() => this.#overran(), ANSWER_GRACE_MS) };
        return;
      }
    }
    const { name } = this.#spec;
    const { settle, timeoutMs } = this.#state.current;
    const answer = this.#fault(
      'ALGORITHM_TIMEOUT',
      `algorithm "${name}" ran longer than its timeoutMs of ${timeoutMs}: raise it, or make run faster`,
      timeoutMs * 1000,
    );
    if (this.#cells.native) {
      this.#state = { kind: 'set-aside' };
      this.#worker.unref();
      this.#tell({ kind: 'leave' });
    } else {
      this.#state = { kind: 'closing' };
      void this.#worker.terminate();
    }
    settle(answer);
    this.#events.lost(this, `a batch overran its timeoutMs of ${timeoutMs}`);
  }

  #exited(status: number): void {
    const { name } = this.#spec;
    const before = this.#state;
    const how = this.#uncaught
      ? `an exception was not caught: ${redactUrl(this.#uncaught.message)}`
      : `process.exit(${status}) was called`;
    this.#started.reject(
      new Fault('ALGORITHM_INIT_FAILED', `algorithm "${name}": its worker thread ended in init: ${how}`),
    );
    if (before.kind === 'running') {
      clearTimeout(before.limit);
      if (before.next) this.#takeBack(before.next.batch);
      const fault = this.#fault('ALGORITHM_FAILED', `algorithm "${name}": its worker thread ended: ${how}`, 0);
      before.current.settle(fault);
      // Where it was taken back it is settled already.
      before.next?.settle(fault);
    }
    this.#state = { kind: 'ended' };
    this.#ended.resolve();
    if (before.kind === 'closing' && this.#uncaught) this.#events.log('warn', `close failed: ${how}`, {});
    if (before.kind === 'running' || before.kind === 'idle') {
      this.#events.lost(this, `the worker thread ended: ${how}`);
    }
    this.#events.ended(this);
  }

  #fault(code: FaultJson['code'], message: string, runUs: number): BatchAnswer {
    return { kind: 'failed', answer: { kind: 'fault', fault: { code, message } }, runUs, stagesUs: {} };
  }
}

const timeLimit = (limitMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, limitMs).unref());
