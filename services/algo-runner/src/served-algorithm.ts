/**
 * One algorithm that this runner serves: what waits for it, what is being fetched for it, what it runs.
 *
 * Invariants: every invocation is answered exactly once (G-4); one that was cancelled, or is given back by a drain, before an
 * instance has begun it is answered as not started (G-5, G-6); streams take turns (I6); at most `concurrency` + 1 windows are in
 * memory, so that the next one is fetched while the others run, and memory is bounded whoever asks.
 */

import type { Frame } from '@stream-infer/algorithm';
import { Fault, type FaultJson, faultJson, toFault } from '@stream-infer/core/fault';
import type { Invocation } from '@stream-infer/proto/stream_infer/v1/invocation';
import { FairQueue } from './fair-queue.ts';
import type { WindowJob } from './worker-messages.ts';
import type { HandedWindow } from './worker-thread.ts';

/** How an invocation ended. */
export type Outcome =
  | { readonly kind: 'data'; readonly data: Uint8Array; readonly snapshot?: Uint8Array | undefined }
  | {
      readonly kind: 'fault';
      readonly fault: FaultJson;
      readonly notStarted: boolean;
      readonly snapshot?: Uint8Array | undefined;
    };

/** In microseconds. */
export type Timings = { readonly queueUs: number; readonly fetchUs: number; readonly runUs: number };

export type Answer = { readonly outcome: Outcome; readonly timings: Timings };

/** The instances, as they are needed here. */
export type Instances = {
  /** Whether one of them takes a window of this instance now; where the algorithm has no memory, whichever it is. */
  hasRoom(instance: string): boolean;
  hand(job: WindowJob, timeoutMs: number): HandedWindow;
};

export type ServedAlgorithmOptions = {
  readonly definition: string;
  readonly concurrency: number;
  /** Where an invocation names no limit. */
  readonly timeoutMs: number;
  readonly instances: Instances;
  /** The window's frames, oldest first; rejects with a fault. */
  frames(invocation: Invocation): Promise<readonly Frame[]>;
  /** Called with every answer, for metrics and the log. */
  answered(answer: Answer, place: string | undefined): void;
};

type Task = {
  readonly stream: string;
  readonly invocation: Invocation;
  readonly receivedAt: number;
  /** When its result is stale: Infinity where it never is. */
  readonly staleAt: number;
  answer: ((answer: Answer) => void) | undefined;
  fetchUs: number;
  cancelled: boolean;
};

/** A timer of more than 31 bits would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

type Prepared = { readonly task: Task; readonly frames: readonly Frame[] };

/** Takes an invocation back; does nothing once it has started. */
export type Cancel = () => void;

export class ServedAlgorithm {
  readonly #options: ServedAlgorithmOptions;
  readonly #waiting = new FairQueue<Task>();
  readonly #fetching = new Set<Task>();
  #prepared: Prepared[] = [];
  readonly #handed = new Map<Task, HandedWindow>();
  #drained: PromiseWithResolvers<void> | undefined;

  constructor(options: ServedAlgorithmOptions) {
    this.#options = options;
  }

  get definition(): string {
    return this.#options.definition;
  }

  get concurrency(): number {
    return this.#options.concurrency;
  }

  submit(invocation: Invocation, answer: (answer: Answer) => void): Cancel {
    const receivedAt = performance.now();
    const task: Task = {
      stream: invocation.stream,
      invocation,
      receivedAt,
      staleAt: invocation.budgetMs > 0 ? receivedAt + invocation.budgetMs : Number.POSITIVE_INFINITY,
      answer,
      fetchUs: 0,
      cancelled: false,
    };
    if (this.#drained) this.#giveBack(task, 'the runner drains');
    else {
      this.#waiting.push(task);
      this.pump();
    }
    return () => this.#cancel(task);
  }

  /** Starts what can start. Called whenever an instance became idle. */
  pump(): void {
    const { instances, concurrency } = this.#options;
    for (;;) {
      const at = this.#prepared.findIndex(({ task }) => instances.hasRoom(instanceOf(task.invocation)));
      const [next] = at < 0 ? [] : this.#prepared.splice(at, 1);
      if (!next) break;
      if (!this.#isStale(next.task)) void this.#hand(next);
    }
    while (this.#fetching.size + this.#prepared.length + this.#handed.size <= concurrency) {
      const next = this.#waiting.shift();
      if (!next) break;
      if (!this.#isStale(next)) void this.#prepare(next);
    }
  }

  /** Gives back what has not started, and resolves when what has is answered. Idempotent. */
  drain(): Promise<void> {
    if (!this.#drained) {
      this.#drained = Promise.withResolvers();
      for (let task = this.#waiting.shift(); task; task = this.#waiting.shift())
        this.#giveBack(task, 'the runner drains');
      for (const task of this.#fetching) this.#giveBack(task, 'the runner drains');
      for (const { task } of this.#prepared.splice(0)) this.#giveBack(task, 'the runner drains');
      for (const handed of this.#handed.values()) handed.takeBack();
      if (this.#handed.size === 0) this.#drained.resolve();
    }
    return this.#drained.promise;
  }

  async #prepare(task: Task): Promise<void> {
    this.#fetching.add(task);
    const started = performance.now();
    try {
      const frames = await this.#options.frames(task.invocation);
      task.fetchUs = microsecondsSince(started);
      if (task.answer) this.#prepared.push({ task, frames });
    } catch (error) {
      task.fetchUs = microsecondsSince(started);
      this.#answer(task, { kind: 'fault', fault: faultJson(toFault(error)), notStarted: false });
    }
    this.#fetching.delete(task);
    this.pump();
  }

  async #hand({ task, frames }: Prepared): Promise<void> {
    const { stream, n, key, inputs, timeoutMs, state: turn } = task.invocation;
    const instance = instanceOf(task.invocation);
    const limitMs = Math.min(timeoutMs > 0 ? timeoutMs : this.#options.timeoutMs, LONGEST_TIMER_MS);
    const handed = this.#options.instances.hand({ stream, n, key, frames, inputs, instance, turn }, limitMs);
    this.#handed.set(task, handed);
    const stale = Number.isFinite(task.staleAt)
      ? setTimeout(handed.takeBack, Math.min(Math.ceil(task.staleAt - performance.now()), LONGEST_TIMER_MS))
      : undefined;
    const outcome = await handed.outcome;
    clearTimeout(stale);
    this.#handed.delete(task);
    switch (outcome.kind) {
      case 'data':
        this.#answer(task, outcome, outcome.runUs);
        break;
      case 'fault':
        this.#answer(task, { ...outcome, notStarted: outcome.notStarted ?? false }, outcome.runUs, outcome.place);
        break;
      case 'not-started':
        if (this.#drained) this.#giveBack(task, 'the runner drains');
        else if (task.cancelled) this.#giveBack(task, 'it was cancelled');
        // Its worker was lost with the window before it; the frames went with it.
        else if (!this.#isStale(task)) this.#waiting.unshift(task);
    }
    if (this.#drained && this.#handed.size === 0) this.#drained.resolve();
    this.pump();
  }

  #cancel(task: Task): void {
    if (!task.answer) return;
    task.cancelled = true;
    const prepared = this.#prepared.findIndex((one) => one.task === task);
    if (prepared >= 0) this.#prepared.splice(prepared, 1);
    if (prepared >= 0 || this.#waiting.delete(task) || this.#fetching.has(task))
      this.#giveBack(task, 'it was cancelled');
    this.#handed.get(task)?.takeBack();
    this.pump();
  }

  #isStale(task: Task): boolean {
    if (performance.now() < task.staleAt) return false;
    this.#giveBack(task, `it waited longer than its budgetMs of ${task.invocation.budgetMs}`);
    return true;
  }

  #giveBack(task: Task, why: string): void {
    const { code, message } = new Fault('NOT_STARTED', `invocation ${task.invocation.id} was not started: ${why}`);
    this.#answer(task, { kind: 'fault', fault: { code, message }, notStarted: true });
  }

  #answer(task: Task, outcome: Outcome, runUs = 0, place?: string): void {
    const { answer, fetchUs } = task;
    if (!answer) return;
    const queueUs = Math.max(0, microsecondsSince(task.receivedAt) - fetchUs - runUs);
    const timings: Timings = { queueUs, fetchUs, runUs };
    task.answer = undefined;
    this.#options.answered({ outcome, timings }, place);
    answer({ outcome, timings });
  }
}

/** Of an algorithm with memory: the instance that the window belongs to. */
const instanceOf = ({ stream, run, algorithm }: Invocation): string => `${stream}/${run}/${algorithm}`;

const microsecondsSince = (start: number): number => Math.round((performance.now() - start) * 1000);
