/**
 * When one algorithm of one stream is invoked, and with what: a pure state machine, told of frames, answers and the time.
 *
 * - Offline everything due waits its turn, in order (I2); in realtime only the newest window waits, and the one it replaces is
 *   counted (I3). A window that was sent and that no runner has started is replaced too: `overtaken` names it, to be asked back.
 * - In realtime a window older than maxStalenessMs is sent to nobody (EX-8).
 * - At most maxInFlight invocations are under way, and answers that wait for an older one are bounded.
 * - Answers come out in the order in which their windows were due (I4).
 * - Every window that was due is settled exactly once, in the ledger (I1).
 * - `neededFrom` names the oldest slot that an unfinished or future window wants: a window that is not settled keeps its frames,
 *   so that it can be sent again (EX-4, EX-6).
 *
 * Times are milliseconds of one monotonic clock, the caller's.
 */

import type { FrameHistory, PublishedFrame } from './frame-history.ts';
import { type DropReason, Ledger, type Outcome } from './ledger.ts';
import { Order } from './order.ts';
import type { AlgorithmTotals } from './result-record.ts';
import type { PlannedAlgorithm } from './sample-plan.ts';
import type { Mode } from './stream-spec.ts';
import { filledFrom, oldestWanted, windowAt } from './window.ts';

/** A window that is due. */
export type Trigger<F> = {
  /** Of the newest frame. */
  readonly n: number;
  /** Oldest first. */
  readonly frames: readonly F[];
  readonly triggeredAtMs: number;
  /** When its newest frame was captured. */
  readonly capturedAtMs: number;
};

/** A window and what was answered. */
export type Answered<F, A> = { readonly trigger: Trigger<F>; readonly answer: A };

/** What was published before this process took the stream over (EX-6). */
export type Progress = { readonly answeredThrough: number; readonly totals?: AlgorithmTotals };

export type ScheduleOptions = {
  readonly algorithm: PlannedAlgorithm;
  readonly mode: Mode;
  /** n of the first slot played. */
  readonly start: number;
  readonly progress: Progress;
  /** Where it is given, no other windows are due. */
  readonly only?: readonly number[];
  /** Told of each window that is over. */
  readonly onOver?: (trigger: Trigger<PublishedFrame>, outcome: Outcome) => void;
};

/** Answers that may wait for an older one, beyond maxInFlight. */
const ORDER_ROOM = 64;

/** `F`: what is known of a frame; `A`: of an answer. */
export class Schedule<F extends PublishedFrame, A> {
  readonly algorithm: PlannedAlgorithm;
  readonly ledger: Ledger;
  readonly #mode: Mode;
  readonly #onOver: ScheduleOptions['onOver'];
  readonly #answeredThrough: number;
  readonly #only: ReadonlySet<number> | undefined;
  #start: number;
  #ended = false;
  #stopped = false;
  /** Windows that wait to be sent, oldest first. */
  readonly #waiting: Trigger<F>[] = [];
  /** Windows that are triggered and not settled, oldest first. */
  readonly #open = new Map<number, Trigger<F>>();
  readonly #underWay = new Set<number>();
  /** Windows under way that are asked back. */
  readonly #askedBack = new Set<number>();
  /** Of the windows that were sent, whether once or again. */
  readonly #order = new Order<Answered<F, A>>();

  constructor({ algorithm, mode, start, progress, only, onOver }: ScheduleOptions) {
    this.algorithm = algorithm;
    this.ledger = new Ledger(progress.totals);
    this.#mode = mode;
    this.#onOver = onOver;
    this.#start = start;
    this.#answeredThrough = progress.answeredThrough;
    this.#only = only && new Set(only);
  }

  /** Whether nothing is open. */
  get idle(): boolean {
    return this.#open.size === 0;
  }

  /** Windows that are triggered and not settled. */
  get open(): number {
    return this.#open.size;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  /** Whether `take` may have something to send. */
  get canTake(): boolean {
    const { maxInFlight } = this.algorithm;
    const unsettled = this.#open.size - this.#waiting.length;
    return this.#waiting.length > 0 && this.#underWay.size < maxInFlight && unsettled < maxInFlight + ORDER_ROOM;
  }

  /** Windows fill from slot n on: a live source was joined there. */
  startAt(n: number): void {
    this.#start = n;
  }

  /** The frame n, newest of `history`, was played `ageMs` ago. */
  frame(n: number, history: FrameHistory<F>, nowMs: number, ageMs: number): void {
    if (n % this.algorithm.intervalFrames !== 0 || n <= this.#answeredThrough) return;
    if (this.#only?.has(n) === false) return;
    const window = windowAt(this.algorithm, n, this.#start, history);
    if (window.kind === 'unfilled') return;
    this.ledger.trigger();
    if (window.kind !== 'filled') {
      this.ledger.settle('frame-lost');
      return;
    }
    const trigger = { n, frames: window.frames, triggeredAtMs: nowMs, capturedAtMs: nowMs - ageMs };
    this.#open.set(n, trigger);
    if (this.#mode === 'realtime') this.#dropWaiting('replaced');
    this.#waiting.push(trigger);
  }

  /** Published frames among `from` to `to` were lost. By time some of these slots may have been gaps; they count as lost too. */
  lose(from: number, to: number): void {
    const { intervalFrames } = this.algorithm;
    const first = Math.max(from, filledFrom(this.algorithm, this.#start), this.#answeredThrough + 1);
    const due = this.#only
      ? [...this.#only].filter((n) => n >= first && n <= to).length
      : Math.floor(to / intervalFrames) - Math.floor((first - 1) / intervalFrames);
    if (due <= 0) return;
    this.ledger.trigger(due);
    this.ledger.settle('frame-lost', due);
  }

  /** The next window to send, which is under way from now on. Drops what has become stale. */
  take(nowMs: number): Trigger<F> | undefined {
    if (!this.canTake) return undefined;
    const trigger = this.#waiting.shift();
    if (trigger === undefined) return undefined;
    if (this.budgetMs(trigger, nowMs) <= 0) {
      this.drop(trigger.n, 'stale');
      return this.take(nowMs);
    }
    this.#underWay.add(trigger.n);
    if (!this.#order.has(trigger.n)) this.#order.expect(trigger.n);
    return trigger;
  }

  /** Realtime: milliseconds until its result is of no use; Infinity offline. */
  budgetMs(trigger: Trigger<F>, nowMs: number): number {
    return this.#mode === 'offline'
      ? Number.POSITIVE_INFINITY
      : trigger.capturedAtMs + this.algorithm.maxStalenessMs - nowMs;
  }

  /**
   * Realtime: the windows under way that the newest one, which waits, is to replace where no runner has started them; oldest first,
   * each once. One that has started is answered all the same.
   */
  overtaken(): Trigger<F>[] {
    const newest = this.#waiting.at(-1);
    if (this.#mode === 'offline' || newest === undefined) return [];
    const overtaken = [...this.#underWay].filter((n) => n < newest.n && !this.#askedBack.has(n));
    for (const n of overtaken) this.#askedBack.add(n);
    return overtaken.flatMap((n) => this.#open.get(n) ?? []);
  }

  /** Whether a window that comes back would be sent again: nothing newer waits, it is not stale, and sending goes on. */
  canSendAgain(trigger: Trigger<F>, nowMs: number): boolean {
    if (this.#stopped) return false;
    return this.#mode === 'offline' || (this.#waiting.length === 0 && this.budgetMs(trigger, nowMs) > 0);
  }

  /** The window that `take` would give. */
  get next(): Trigger<F> | undefined {
    return this.#waiting[0];
  }

  /**
   * A window under way comes back unanswered: it waits again, before younger ones. It is dropped where nothing more is sent; in
   * realtime too where a newer one waits or has asked it back, which may be under way by now, or it is stale.
   */
  giveBack(trigger: Trigger<F>, nowMs: number): void {
    const replaced = this.#askedBack.has(trigger.n) || (this.#mode === 'realtime' && this.#waiting.length > 0);
    this.#landed(trigger.n);
    if (this.#stopped) this.drop(trigger.n, 'stopped');
    else if (replaced) this.drop(trigger.n, 'replaced');
    else if (this.budgetMs(trigger, nowMs) <= 0) this.drop(trigger.n, 'stale');
    else {
      const younger = this.#waiting.findIndex(({ n }) => n > trigger.n);
      this.#waiting.splice(younger < 0 ? this.#waiting.length : younger, 0, trigger);
    }
  }

  /** A window under way is answered. It stays open until it is settled, once its answer came out and is published. */
  answered(trigger: Trigger<F>, answer: A): void {
    this.#landed(trigger.n);
    this.#order.answer(trigger.n, { trigger, answer });
  }

  /** Answers that no older window holds back any more, in order, each once. */
  ready(): Answered<F, A>[] {
    return this.#order.ready();
  }

  /** Window n was due and gets no result. */
  drop(n: number, reason: DropReason): void {
    if (this.#order.has(n)) this.#order.drop(n);
    this.settle(n, reason);
  }

  /** Window n is over. */
  settle(n: number, outcome: Outcome): void {
    const trigger = this.#open.get(n);
    if (!trigger) throw new RangeError(`window ${n} of ${this.algorithm.name} is not open`);
    this.#open.delete(n);
    this.#landed(n);
    this.ledger.settle(outcome);
    this.#onOver?.(trigger, outcome);
  }

  /** Drops what waits and has become stale: without a runner nobody takes it, and nothing newer replaces the last. */
  expire(nowMs: number): void {
    for (const trigger of this.#waiting.filter((one) => this.budgetMs(one, nowMs) <= 0)) {
      this.#waiting.splice(this.#waiting.indexOf(trigger), 1);
      this.drop(trigger.n, 'stale');
    }
  }

  /** No frame comes any more. */
  end(): void {
    this.#ended = true;
  }

  /** Nothing more is sent: what waits is dropped, and what comes back unanswered. */
  stop(): void {
    this.#ended = true;
    this.#stopped = true;
    this.#dropWaiting('stopped');
  }

  /** Every open window is over without a result, whether it waits or is under way. */
  abandon(reason: DropReason): void {
    this.#waiting.length = 0;
    for (const n of [...this.#open.keys()]) this.drop(n, reason);
  }

  /** The oldest slot that an open window, or one due after `lastN`, wants. Infinity where none does. */
  neededFrom(lastN: number): number {
    const [oldest] = this.#open.values();
    const open = oldest?.frames[0]?.n ?? Number.POSITIVE_INFINITY;
    if (this.#ended) return open;
    const { intervalFrames } = this.algorithm;
    const due = (Math.floor(lastN / intervalFrames) + 1) * intervalFrames;
    return Math.min(open, oldestWanted(this.algorithm, due, this.#start));
  }

  /** Window n is not under way any more. */
  #landed(n: number): void {
    this.#underWay.delete(n);
    this.#askedBack.delete(n);
  }

  #dropWaiting(outcome: 'replaced' | 'stopped'): void {
    for (const { n } of this.#waiting.splice(0)) this.drop(n, outcome);
  }
}
