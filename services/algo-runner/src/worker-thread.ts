/**
 * One worker thread as the runner sees it.
 *
 * Invariants (D7): a thread that has loaded a native module is never terminated, because that aborts the whole process; past its
 * limit it is set aside, and ends by itself when it next listens. A thread of JavaScript alone is ended at once. Whatever happens to
 * the thread, the window that it held is answered exactly once.
 */

import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Fault, type FaultJson } from '@stream-infer/core/fault';
import { redactUrl } from '@stream-infer/core/redact-url';
import type {
  FromWorker,
  LogLevel,
  ToWorker,
  WindowJob,
  WorkerAnswer,
  WorkerData,
  WorkerSpec,
} from './worker-messages.ts';

export type WorkerState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'idle' }
  | { readonly kind: 'running'; readonly answer: (answer: WorkerAnswer) => void; readonly limit: NodeJS.Timeout }
  /** Past its limit, and still inside the author's or native code. */
  | { readonly kind: 'set-aside' }
  | { readonly kind: 'closing' }
  | { readonly kind: 'ended' };

export type WorkerEvents = {
  log(level: LogLevel, message: string, fields: Record<string, unknown>): void;
  /** The thread answered its window and can take another. */
  idle(worker: WorkerThread): void;
  /** The thread takes no more windows: past its limit, or ended though nobody told it to. */
  lost(worker: WorkerThread, reason: string): void;
  /** The thread is gone. */
  ended(worker: WorkerThread): void;
};

const INIT_LIMIT_MS = 120_000;
const CLOSE_LIMIT_MS = 2_000;

/** Beside this file, and like it TypeScript or compiled. */
const ENTRY = new URL(`./worker${extname(fileURLToPath(import.meta.url))}`, import.meta.url);

export class WorkerThread {
  readonly #spec: WorkerSpec;
  readonly #events: WorkerEvents;
  readonly #native = new SharedArrayBuffer(4);
  readonly #worker: Worker;
  readonly #started = Promise.withResolvers<string>();
  readonly #ended = Promise.withResolvers<void>();
  #state: WorkerState = { kind: 'starting' };
  /** What the thread did not catch. */
  #uncaught: Error | undefined;

  constructor(spec: WorkerSpec, events: WorkerEvents) {
    this.#spec = spec;
    this.#events = events;
    const data: WorkerData = { spec, native: this.#native };
    this.#worker = new Worker(ENTRY, { workerData: data, name: spec.name });
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

  /**
   * The algorithm's version, once it is initialised. Rejects with the fault that keeps it from running; ALGORITHM_INIT_FAILED where `init`
   * does not return within two minutes or its thread ends.
   */
  async started(): Promise<string> {
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

  /** Runs one window; the frames' memory goes with it. Only while idle. Never rejects. */
  run(job: WindowJob, timeoutMs: number): Promise<WorkerAnswer> {
    if (this.#state.kind !== 'idle')
      throw new Fault('INTERNAL', `a worker that is ${this.#state.kind} was given a window`);
    const { promise, resolve } = Promise.withResolvers<WorkerAnswer>();
    const limit = setTimeout(() => this.#overran(timeoutMs), timeoutMs);
    this.#state = { kind: 'running', answer: resolve, limit };
    this.#tell({ kind: 'run', job }, [...new Set(job.frames.map(({ data }) => data.buffer as ArrayBuffer))]);
    return promise;
  }

  /** Closes the algorithm and ends the thread, in bounded time; a thread that is inside a window or `init` is left to itself. */
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
    return this.#hasNative && this.#state.kind !== 'idle' && this.#state.kind !== 'ended';
  }

  get #hasNative(): boolean {
    return Atomics.load(new Int32Array(this.#native), 0) === 1;
  }

  #tell(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #heard(message: FromWorker): void {
    switch (message.kind) {
      case 'ready':
        if (this.#state.kind === 'starting') this.#state = { kind: 'idle' };
        this.#started.resolve(message.version);
        return;
      case 'failed':
        this.#started.reject(new Fault(message.fault.code, message.fault.message));
        return;
      case 'log':
        this.#events.log(message.level, message.message, message.fields);
        return;
      case 'answer':
        // An answer after the limit answers nothing.
        if (this.#state.kind === 'running') this.#answer(message.answer, { kind: 'idle' });
        if (this.#state.kind === 'idle') this.#events.idle(this);
    }
  }

  #answer(answer: WorkerAnswer, next: WorkerState): void {
    const state = this.#state;
    this.#state = next;
    if (state.kind !== 'running') return;
    clearTimeout(state.limit);
    state.answer(answer);
  }

  #overran(timeoutMs: number): void {
    const { name } = this.#spec;
    const answer = this.#fault(
      'ALGORITHM_TIMEOUT',
      `algorithm "${name}" ran longer than its timeoutMs of ${timeoutMs}: raise it, or make run faster`,
      timeoutMs * 1000,
    );
    if (this.#hasNative) {
      this.#answer(answer, { kind: 'set-aside' });
      this.#worker.unref();
      this.#tell({ kind: 'leave' });
    } else {
      this.#answer(answer, { kind: 'closing' });
      void this.#worker.terminate();
    }
    this.#events.lost(this, `a window overran its timeoutMs of ${timeoutMs}`);
  }

  #exited(status: number): void {
    const { name } = this.#spec;
    const before = this.#state.kind;
    const how = this.#uncaught
      ? `an exception was not caught: ${redactUrl(this.#uncaught.message)}`
      : `process.exit(${status}) was called`;
    this.#started.reject(
      new Fault('ALGORITHM_INIT_FAILED', `algorithm "${name}": its worker thread ended in init: ${how}`),
    );
    const answer = this.#fault('ALGORITHM_FAILED', `algorithm "${name}": its worker thread ended: ${how}`, 0);
    this.#answer(answer, { kind: 'ended' });
    this.#ended.resolve();
    if (before === 'closing' && this.#uncaught) this.#events.log('warn', `close failed: ${how}`, {});
    if (before === 'running' || before === 'idle') this.#events.lost(this, `the worker thread ended: ${how}`);
    this.#events.ended(this);
  }

  #fault(code: FaultJson['code'], message: string, runUs: number): WorkerAnswer {
    return { kind: 'fault', fault: { code, message }, runUs };
  }
}

const timeLimit = (limitMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, limitMs).unref());
