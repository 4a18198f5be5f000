/**
 * One algorithm that this runner serves: what waits for it, what is being fetched for it, what it runs.
 *
 * Invariants: every invocation is answered exactly once (G-4); one that was cancelled, or is given back by a drain, before an
 * instance has begun it is answered as not started (G-5, G-6); streams take turns (I6); at most one batch more than the instances run
 * is in memory, so that the next one is fetched while the others run, and memory is bounded whoever asks. The place of a window that
 * was fetched ahead and cancelled is its stream's until an instance would wait for it: a newer window takes it, as one that comes
 * later in the round would be replaced for ever. A batch of several windows that fails as a whole costs none of them its result: each
 * is run again, alone.
 */

import type { Frame } from '@stream-infer/algorithm';
import { faultJson, toFault } from '@stream-infer/core/fault';
import type { Invocation } from '@stream-infer/proto/stream_infer/v1/invocation';
import { FairQueue } from './fair-queue.ts';
import { type BatchWindow, FillingBatch } from './filling-batch.ts';
import { type Answer, microsecondsSince, type Ran, Task } from './task.ts';
import type { BatchOutcome, StageTimes, WindowAnswer, WindowJob } from './worker-messages.ts';
import type { HandedBatch } from './worker-thread.ts';

/** The instances, as they are needed here. */
export type Instances = {
  /** Whether one of them takes a batch of this instance now; where the algorithm has no memory, whichever it is. */
  hasRoom(instance: string): boolean;
  /** Whether one of them has nothing to run. */
  isIdle(): boolean;
  hand(jobs: readonly WindowJob[], timeoutMs: number): HandedBatch;
};

/** A batch that was run. */
export type BatchRun = {
  readonly windows: number;
  /** As a whole. */
  readonly failed: boolean;
  readonly runUs: number;
  readonly stagesUs: StageTimes;
};

export type ServedAlgorithmOptions = {
  readonly definition: string;
  readonly concurrency: number;
  readonly maxBatch: number;
  readonly maxDelayMs: number;
  /** Where an invocation names no limit. */
  readonly timeoutMs: number;
  readonly instances: Instances;
  /** The window's frames, oldest first; rejects with a fault. */
  frames(invocation: Invocation): Promise<readonly Frame[]>;
  /** Called with every answer, for metrics and the log. */
  answered(answer: Answer, place: string | undefined): void;
  /** Called with every batch, for metrics. */
  ran(run: BatchRun): void;
};

type Prepared = BatchWindow & { readonly task: Task; readonly frames: readonly Frame[] };

/** A timer of more than 31 bits would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** What is due as soon as this is due: a timer's own precision. */
const TIMER_MS = 1;

/** Takes an invocation back; does nothing once it has started. */
export type Cancel = () => void;

export class ServedAlgorithm {
  readonly #options: ServedAlgorithmOptions;
  readonly #waiting = new FairQueue<Task>();
  readonly #fetching = new Set<Task>();
  readonly #prepared: FillingBatch<Prepared>;
  readonly #handed = new Map<Task, HandedBatch>();
  /** Streams whose window in memory was cancelled, and whose next one takes its place. */
  readonly #places = new Set<string>();
  #arrivals = 0;
  /** When an instance was last done with a batch. */
  #idleSinceMs = Number.NEGATIVE_INFINITY;
  #due: NodeJS.Timeout | undefined;
  #drained: PromiseWithResolvers<void> | undefined;

  constructor(options: ServedAlgorithmOptions) {
    this.#options = options;
    this.#prepared = new FillingBatch(options);
  }

  get definition(): string {
    return this.#options.definition;
  }

  get concurrency(): number {
    return this.#options.concurrency;
  }

  get maxBatch(): number {
    return this.#options.maxBatch;
  }

  submit(invocation: Invocation, answer: (answer: Answer) => void): Cancel {
    this.#arrivals += 1;
    const task = new Task(invocation, this.#arrivals, performance.now(), (answered, place) => {
      this.#options.answered(answered, place);
      answer(answered);
    });
    if (this.#drained) task.giveBack(DRAINS);
    else {
      this.#waiting.push(task);
      this.#takePlace(task.stream);
      this.pump();
    }
    return () => this.#cancel(task);
  }

  /** Starts what can start. Called whenever an instance became idle. */
  pump(): void {
    this.#handBatches();
    const { instances, concurrency, maxBatch } = this.#options;
    if (instances.isIdle() && this.#fetching.size === 0) this.#places.clear();
    while (this.#inMemory + this.#places.size < (concurrency + 1) * maxBatch) {
      const next = this.#waiting.shift();
      if (!next) break;
      if (!next.isStale()) void this.#prepare(next);
    }
  }

  /** Gives back what has not started, and resolves when what has is answered. Idempotent. */
  drain(): Promise<void> {
    if (!this.#drained) {
      this.#drained = Promise.withResolvers();
      clearTimeout(this.#due);
      for (let task = this.#waiting.shift(); task; task = this.#waiting.shift()) task.giveBack(DRAINS);
      for (const task of this.#fetching) task.giveBack(DRAINS);
      for (const { task } of this.#prepared.remove(() => true)) task.giveBack(DRAINS);
      for (const handed of this.#handed.values()) handed.takeBack();
      if (this.#handed.size === 0) this.#drained.resolve();
    }
    return this.#drained.promise;
  }

  #handBatches(): void {
    const { instances } = this.#options;
    clearTimeout(this.#due);
    for (;;) {
      this.#prepared.remove(({ task }) => task.isStale());
      if (this.#prepared.size === 0) return;
      if (!this.#prepared.isFull) {
        if (!instances.isIdle()) return;
        const isMoreToCome = this.#fetching.size + this.#places.size > 0;
        const dueAtMs = this.#prepared.dueAtMs(isMoreToCome ? this.#idleSinceMs : undefined);
        const waitMs = dueAtMs - performance.now();
        if (waitMs > TIMER_MS) {
          this.#due = setTimeout(() => this.pump(), waitMs - TIMER_MS);
          return;
        }
      }
      const batch = this.#prepared.shift(({ task }) => instances.hasRoom(instanceOf(task.invocation)));
      if (batch.length === 0) return;
      void this.#hand(batch);
    }
  }

  get #inMemory(): number {
    return this.#fetching.size + this.#prepared.size + this.#handed.size;
  }

  #keepPlace(stream: string): void {
    this.#places.add(stream);
    this.#takePlace(stream);
  }

  #takePlace(stream: string): void {
    if (!this.#places.has(stream)) return;
    const next = this.#waiting.shiftOf(stream);
    if (!next) return;
    this.#places.delete(stream);
    if (!next.isStale()) void this.#prepare(next);
  }

  async #prepare(task: Task): Promise<void> {
    this.#fetching.add(task);
    const startedMs = performance.now();
    try {
      const frames = await this.#options.frames(task.invocation);
      task.fetchUs = microsecondsSince(startedMs);
      const { stream, arrival, staleAtMs, alone } = task;
      const window = { stream, arrival, staleAtMs, alone, readyAtMs: performance.now() };
      if (!task.isAnswered) this.#prepared.push({ ...window, task, frames });
    } catch (error) {
      task.fetchUs = microsecondsSince(startedMs);
      task.answer({ kind: 'fault', fault: faultJson(toFault(error)), notStarted: false });
    }
    this.#fetching.delete(task);
    if (task.cancelled) this.#keepPlace(task.stream);
    this.pump();
  }

  async #hand(batch: readonly Prepared[]): Promise<void> {
    const tasks = batch.map(({ task }) => task);
    const jobs = batch.map(({ task: { invocation }, frames }): WindowJob => {
      const { stream, n, key, inputs, state: turn } = invocation;
      return { stream, n, key, frames, inputs, instance: instanceOf(invocation), turn };
    });
    // The most impatient window's.
    const limitMs = Math.min(...tasks.map(({ invocation: { timeoutMs } }) => timeoutMs || this.#options.timeoutMs));
    const handed = this.#options.instances.hand(jobs, Math.min(limitMs, LONGEST_TIMER_MS));
    for (const task of tasks) this.#handed.set(task, handed);
    const staleAtMs = Math.min(...tasks.map((task) => task.staleAtMs));
    const stale = Number.isFinite(staleAtMs)
      ? setTimeout(handed.takeBack, Math.min(Math.ceil(staleAtMs - performance.now()), LONGEST_TIMER_MS))
      : undefined;
    const outcome = await handed.outcome;
    this.#idleSinceMs = performance.now();
    clearTimeout(stale);
    for (const task of tasks) this.#handed.delete(task);
    this.#settle(tasks, outcome);
    if (this.#drained && this.#handed.size === 0) this.#drained.resolve();
    this.pump();
  }

  #settle(tasks: readonly Task[], outcome: BatchOutcome): void {
    if (outcome.kind === 'not-started') {
      for (const task of tasks) this.#cameBack(task);
      return;
    }
    const { kind, runUs, stagesUs, version } = outcome;
    this.#options.ran({ windows: tasks.length, failed: kind === 'failed', runUs, stagesUs });
    for (const [at, task] of tasks.entries()) {
      const answer = outcome.kind === 'answered' ? outcome.answers[at] : tasks.length === 1 && outcome.answer;
      if (answer) settleTask(task, answer, { runUs, batchWindows: tasks.length, version });
      else {
        task.alone = true;
        this.#cameBack(task);
      }
    }
  }

  /** Its frames went with the worker: to be run, it is fetched again. */
  #cameBack(task: Task): void {
    if (this.#drained) task.giveBack(DRAINS);
    else if (task.cancelled) {
      task.giveBack(CANCELLED);
      this.#keepPlace(task.stream);
    } else if (!task.isStale()) this.#waiting.push(task);
  }

  #cancel(task: Task): void {
    if (task.isAnswered) return;
    task.cancelled = true;
    const prepared = this.#prepared.remove((window) => window.task === task).length > 0;
    if (prepared || this.#fetching.has(task) || this.#waiting.delete(task)) task.giveBack(CANCELLED);
    if (prepared) this.#keepPlace(task.stream);
    this.#handed.get(task)?.takeBack();
    this.pump();
  }
}

const DRAINS = 'the runner drains';
const CANCELLED = 'it was cancelled';

function settleTask(task: Task, answer: WindowAnswer, ran: Ran): void {
  if (answer.kind === 'data') task.answer(answer, ran);
  else task.answer({ ...answer, notStarted: answer.notStarted ?? false }, ran, answer.place);
}

/** Of an algorithm with memory: the instance that the window belongs to. */
const instanceOf = ({ stream, run, algorithm }: Invocation): string => `${stream}/${run}/${algorithm}`;
