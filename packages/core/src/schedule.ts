/**
 * When one algorithm of one stream is invoked, and with what: a pure state machine, told of frames, answers and the time.
 *
 * - Offline everything due waits its turn, in order (I2); in realtime only the newest window waits, and the one it replaces is
 *   counted (I3). A window that was sent and that no runner has started is replaced too: `overtaken` names it, to be asked back.
 * - In realtime a window older than maxStalenessMs is sent to nobody (EX-8).
 * - At most maxInFlight invocations are under way, and answers that wait for an older one are bounded.
 * - Answers come out in the order in which their windows were due (I4).
 * - Every window that was due is settled exactly once, in the ledger (I1).
 * - An algorithm that comes after others has a window where all of these have a result; until then it is prepared, and keeps its
 *   frames. Where one of them drops its window there is none.
 * - `neededFrom` names the oldest slot that an unfinished or future window wants: a window that is not settled keeps its frames,
 *   so that it can be sent again (EX-4, EX-6).
 *
 * Times are milliseconds of one monotonic clock, the caller's.
 */

import { DueWindows, type DueWindowsOptions } from './due-windows.ts';
import type { Fault } from './fault.ts';
import type { FrameHistory, PublishedFrame } from './frame-history.ts';
import { type DropReason, Ledger, type Outcome } from './ledger.ts';
import { Order } from './order.ts';
import { type Answered, type PreparedWindow, PreparedWindows, type Trigger, triggerOf } from './prepared-windows.ts';
import { RetainedWindows } from './retained-windows.ts';
import type { PlannedAlgorithm } from './sample-plan.ts';
import type { Mode } from './stream-spec.ts';
import { goneResult, hasGone, type UpstreamResult, upstreamFault } from './upstream.ts';

export type { Progress } from './due-windows.ts';
export type { Answered, Trigger } from './prepared-windows.ts';

/** Told of each window that is over. */
type OnOver = (trigger: Trigger<PublishedFrame>, outcome: Outcome) => void;

export type ScheduleOptions = DueWindowsOptions & { readonly mode: Mode; readonly onOver?: OnOver };

/** Answers that may wait for an older one, beyond maxInFlight. */
const ORDER_ROOM = 64;

/** `F`: what is known of a frame; `A`: of an answer. */
export class Schedule<F extends PublishedFrame, A> {
  readonly algorithm: PlannedAlgorithm;
  readonly ledger: Ledger;
  /** Which windows are due, by their numbers alone. */
  readonly due: DueWindows;
  /** Told of each window that is over or will not be due, with what was published of it, if anything was. */
  onSettled: ((n: number, result: UpstreamResult | undefined) => void) | undefined;
  /** What would have to be run again if an instance were lost. */
  readonly retained = new RetainedWindows<F>();
  readonly #mode: Mode;
  readonly #onOver: OnOver | undefined;
  #ended = false;
  #stopped = false;
  /** Windows that wait to be sent, oldest first. */
  readonly #waiting: Trigger<F>[] = [];
  /** Not due yet, for want of results that they come after. */
  readonly #prepared = new PreparedWindows<F>();
  /** Windows that are triggered and not settled, oldest first. */
  readonly #open = new Map<number, Trigger<F>>();
  readonly #underWay = new Set<number>();
  /** Windows under way that are asked back. */
  readonly #askedBack = new Set<number>();
  /** Of the windows that were sent, whether once or again. */
  readonly #order = new Order<Answered<F, A>>();

  constructor(options: ScheduleOptions) {
    this.algorithm = options.algorithm;
    this.ledger = new Ledger(options.progress.totals);
    this.#mode = options.mode;
    this.due = new DueWindows(options);
    this.#onOver = options.onOver;
  }

  /** Whether nothing is open or prepared. */
  get idle(): boolean {
    return this.#open.size === 0 && this.#prepared.size === 0;
  }

  /** The oldest n that is not settled, or may have to be run again; Infinity where none is. */
  get oldestUnsettled(): number {
    const [open = Number.POSITIVE_INFINITY] = this.#open.keys();
    return Math.min(open, this.#prepared.oldest, this.retained.oldest);
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
    const hasOrderRoom = this.#open.size - this.#waiting.length < maxInFlight + ORDER_ROOM;
    return this.#waiting.length > 0 && this.#underWay.size < maxInFlight && hasOrderRoom;
  }

  /**
   * Offline: the frames up to n were released before they could be seen here. What is not answered wants none of them; what is to be run
   * again may.
   */
  releasedThrough(n: number): void {
    if (this.due.wantsAgain(n)) this.retained.miss('frames');
  }

  /** The frame n, newest of `history`, was played `ageMs` ago. */
  frame(n: number, history: FrameHistory<F>, nowMs: number, ageMs: number): void {
    const window = this.due.at(n, history);
    if (window === undefined) return;
    const prepared = { n, window, triggeredAtMs: nowMs, capturedAtMs: nowMs - ageMs };
    if (this.algorithm.after) this.#prepared.add(prepared);
    else this.#trigger(prepared);
  }

  /** What is known here of window n: it may have a result yet, has that, or has none and never will. */
  resultOf(n: number): 'awaited' | UpstreamResult | undefined {
    if (this.#open.has(n) || this.#prepared.has(n)) return 'awaited';
    const published = this.due.published(n);
    if (published !== 'gone') return published;
    return this.#mode === 'realtime' ? undefined : goneResult(this.algorithm.name, n);
  }

  /** The algorithm `name`, which this one comes after, has this result of n, or none. */
  upstream(name: string, n: number, result: UpstreamResult | undefined): void {
    if (result === undefined) {
      // It will not be due; neither will those that come after it.
      if (this.#prepared.delete(n)) this.onSettled?.(n, undefined);
      return;
    }
    const due = this.#prepared.input(name, n, result, this.algorithm.after?.length ?? 0);
    if (due) this.#trigger(due);
  }

  /** Published frames among `from` to `to` were lost. By time some of these slots may have been gaps; they count as lost too. */
  lose(from: number, to: number): void {
    if (this.due.againWithin(from, to) > 0) this.retained.miss('frames');
    // What it comes after lost its window there, and it has none.
    if (this.algorithm.after) return;
    const due = this.due.newWithin(from, to);
    if (due === 0) return;
    this.due.countMissed(due);
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
    return this.#underWayNow(trigger);
  }

  /** The next window where what it comes after has an error: under way from now on, to be answered with that fault and not sent. */
  takeFailed(): { readonly trigger: Trigger<F>; readonly fault: Fault } | undefined {
    const [trigger] = this.#waiting;
    const fault = trigger?.inputs && upstreamFault(trigger.inputs);
    if (trigger === undefined || fault === undefined || !this.canTake) return undefined;
    this.#waiting.shift();
    return { trigger: this.#underWayNow(trigger), fault };
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

  /** Window n is over. @param result what was published, where others come after it. */
  settle(n: number, outcome: Outcome, result?: UpstreamResult): void {
    const trigger = this.#open.get(n);
    if (!trigger) throw new RangeError(`window ${n} of ${this.algorithm.name} is not open`);
    this.#open.delete(n);
    this.#landed(n);
    this.ledger.settle(outcome);
    this.#onOver?.(trigger, outcome);
    this.onSettled?.(n, result);
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
    const unsettled = Math.min(
      oldest?.frames[0]?.n ?? Number.POSITIVE_INFINITY,
      this.#prepared.neededFrom,
      this.retained.neededFrom,
    );
    return this.#ended ? unsettled : Math.min(unsettled, this.due.neededFrom(lastN));
  }

  #underWayNow(trigger: Trigger<F>): Trigger<F> {
    this.#underWay.add(trigger.n);
    if (!this.#order.has(trigger.n)) this.#order.expect(trigger.n);
    return trigger;
  }

  #trigger(prepared: PreparedWindow<F>): void {
    const { n } = prepared;
    const trigger = triggerOf(prepared);
    if (this.due.isAnswered(n)) {
      // What was not run for an error upstream is not run again.
      if (trigger === undefined) this.retained.miss('frames');
      else if (trigger.inputs && hasGone(trigger.inputs)) this.retained.miss('inputs');
      else if (!(trigger.inputs && upstreamFault(trigger.inputs))) this.retained.add(trigger);
      return;
    }
    this.ledger.trigger();
    if (trigger === undefined) {
      this.ledger.settle('frame-lost');
      this.onSettled?.(n, undefined);
      return;
    }
    this.#open.set(n, trigger);
    if (this.#mode === 'realtime') this.#dropWaiting('replaced');
    this.#waiting.push(trigger);
    // What it comes after was still under way when nothing more was to be sent.
    if (this.#stopped) this.#dropWaiting('stopped');
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
