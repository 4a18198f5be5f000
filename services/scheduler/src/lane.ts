/**
 * One algorithm on one stream: takes windows from its schedule to the dispatcher, answers back to the schedule, and results, in order,
 * to RESULTS. What is decided is decided by the schedule; this moves it.
 *
 * Invariants: every window that was taken is settled exactly once (I1); results are published in trigger order, one at a time (I4); a
 * window that comes back without a result is sent again, to whichever runner has room, until its attempts are spent.
 */

import { Attempts, type Setback } from '@stream-infer/core/attempts';
import { Fault, type FaultCode, toFault } from '@stream-infer/core/fault';
import type { Answered, Schedule, Trigger } from '@stream-infer/core/schedule';
import type { Mode } from '@stream-infer/core/stream-spec';
import type { Result } from '@stream-infer/proto/stream_infer/v1/result';
import { type Answer, answerOf, errorAnswer } from './answer.ts';
import type { Dispatcher } from './dispatcher.ts';
import { type BufferedFrame, invocationMessage, type RunPlace } from './invocation-message.ts';
import type { LaneMetrics } from './metrics.ts';
import type { Outlet } from './outlet.ts';
import { type RecordPlace, recordBytes, recordOf } from './window-result.ts';
import type { Work, WorkOutcome, WorkSource } from './work.ts';

/** An answer with how often its window was sent. */
export type WindowAnswer = { readonly answer: Exclude<Answer, { kind: 'not-started' }>; readonly attempts: number };

export type LaneOptions = {
  readonly schedule: Schedule<BufferedFrame, WindowAnswer>;
  readonly place: RunPlace;
  readonly mode: Mode;
  readonly dispatcher: Dispatcher;
  /** Whose results they are: the same run, or the one that a replay mends. */
  readonly recordPlace: RecordPlace;
  readonly outlet: Outlet;
  readonly metrics: LaneMetrics;
  /** The largest message that the bus takes. */
  readonly maxPayloadBytes: number;
  readonly events: LaneEvents;
};

export type LaneEvents = {
  /** A realtime result came so late. */
  late(lateMs: number): void;
  /** A window is answered or settled. */
  changed(): void;
  /** Offline: a frame that a window wants is in the buffer no more. */
  gone(): void;
  /** Another scheduler has the stream. */
  fenced(): void;
  failed(fault: Fault): void;
};

type DueWindow = Trigger<BufferedFrame>;

/** Of these neither the algorithm is to blame, nor would another try find anything else. */
const FINAL: ReadonlySet<FaultCode> = new Set<FaultCode>(['FRAME_MISMATCH']);

export class Lane implements WorkSource {
  readonly definition: string;
  readonly #options: LaneOptions;
  readonly #intervalMs: number;
  readonly #attempts = new WeakMap<DueWindow, Attempts>();
  /** Of windows that the bus failed: when they are sent again. */
  readonly #pauses = new Set<NodeJS.Timeout>();
  readonly #underWay = new Map<DueWindow, Work>();
  readonly #unpublished: Answered<BufferedFrame, WindowAnswer>[] = [];
  #publishing = false;
  #halted = false;
  #closed = false;

  constructor(options: LaneOptions) {
    const { algorithm } = options.schedule;
    const { fps } = options.place;
    this.definition = algorithm.definition;
    this.#options = options;
    this.#intervalMs = (algorithm.intervalFrames * fps.den * 1_000) / fps.num;
  }

  /** Whether nothing is under way and nothing waits to be published. */
  get isQuiet(): boolean {
    return this.#underWay.size === 0 && !this.#publishing;
  }

  /** To be called when the schedule may have something to send. What still waits then takes the place of what has not started. */
  offer(): void {
    const { schedule, dispatcher } = this.#options;
    if (this.#halted) return;
    if (schedule.canTake) dispatcher.offer(this);
    for (const trigger of schedule.overtaken()) {
      const work = this.#underWay.get(trigger);
      if (work) dispatcher.recall(work);
    }
  }

  get wantsAlone(): boolean {
    const { next } = this.#options.schedule;
    return next !== undefined && this.#attempts.get(next)?.mustBeAlone === true;
  }

  take(): Work | undefined {
    const { schedule, place, dispatcher } = this.#options;
    const nowMs = performance.now();
    const trigger = schedule.take(nowMs);
    if (trigger === undefined) return undefined;
    const attempts = this.#attemptsOf(trigger);
    const budgetMs = schedule.budgetMs(trigger, nowMs);
    const work: Work = {
      alone: attempts.mustBeAlone,
      invocation: invocationMessage(place, schedule.algorithm, trigger, {
        attempt: attempts.send(),
        budgetMs: Number.isFinite(budgetMs) ? Math.ceil(budgetMs) : 0,
      }),
      settle: (outcome) => {
        if (!this.#underWay.delete(trigger)) return;
        this.#settled(trigger, attempts, outcome);
        if (wasGivenBack(outcome) && !this.#halted && schedule.canTake) dispatcher.offerFirst(this);
        this.#moveOn();
      },
    };
    this.#underWay.set(trigger, work);
    return work;
  }

  /** Sends nothing more; what is under way is still answered and published. Idempotent. */
  halt(): void {
    this.#halted = true;
    this.#options.dispatcher.withdraw(this);
  }

  /** Takes back what is under way. Idempotent. */
  close(): void {
    this.halt();
    for (const work of this.#underWay.values()) this.#options.dispatcher.cancel(work);
    this.#underWay.clear();
    for (const pause of this.#pauses) clearTimeout(pause);
    this.#pauses.clear();
    this.#closed = true;
  }

  /** Shows the ledger's last figures, and nothing any more. Idempotent. */
  closeMetrics(): void {
    this.#options.metrics.close();
  }

  #attemptsOf(trigger: DueWindow): Attempts {
    const attempts = this.#attempts.get(trigger) ?? new Attempts(this.#options.schedule.algorithm.maxAttempts);
    this.#attempts.set(trigger, attempts);
    return attempts;
  }

  #settled(trigger: DueWindow, attempts: Attempts, outcome: WorkOutcome): void {
    const { schedule } = this.#options;
    switch (outcome.kind) {
      case 'answered':
        this.#answered(trigger, attempts, outcome.result);
        return;
      case 'overdue':
        this.#failed(trigger, attempts, errorAnswer(overdueFault(trigger, schedule.algorithm.timeoutMs)));
        return;
      case 'unsent':
        this.#cameBack(trigger, attempts, 'not-started', lostFault(trigger, attempts));
        return;
      case 'lost':
        if (outcome.alone) void this.#lostAlone(trigger, attempts, outcome.excused);
        else this.#cameBack(trigger, attempts, 'lost-in-company', lostFault(trigger, attempts));
    }
  }

  #answered(trigger: DueWindow, attempts: Attempts, result: Result): void {
    const { schedule, mode } = this.#options;
    const answer = answerOf(result);
    if (answer.kind === 'not-started') this.#cameBack(trigger, attempts, 'not-started', answer.fault);
    else if (answer.kind === 'data') this.#conclude(trigger, attempts, answer);
    else if (answer.fault.code === 'BUS_FAILED') this.#cameBack(trigger, attempts, 'bus-failed', answer.fault);
    else if (answer.fault.code === 'FRAME_GONE' && mode === 'realtime') schedule.drop(trigger.n, 'frame-gone');
    else if (answer.fault.code === 'FRAME_GONE') this.#gone(trigger);
    else if (FINAL.has(answer.fault.code)) this.#conclude(trigger, attempts, answer);
    else this.#failed(trigger, attempts, answer);
  }

  /** What is lost offline is decoded again (EX-4). */
  #gone(trigger: DueWindow): void {
    this.#options.schedule.giveBack(trigger, performance.now());
    this.#options.events.gone();
  }

  #failed(trigger: DueWindow, attempts: Attempts, answer: WindowAnswer['answer']): void {
    const { schedule } = this.#options;
    attempts.setback('failed');
    // In realtime what is new is worth more than another try.
    if (attempts.isSpent || !schedule.canSendAgain(trigger, performance.now()))
      this.#conclude(trigger, attempts, answer);
    else schedule.giveBack(trigger, performance.now());
  }

  /** It is sent again at once; only the last attempt waits until it is known whether the runner died of it. */
  async #lostAlone(trigger: DueWindow, attempts: Attempts, excused: Promise<boolean>): Promise<void> {
    const known = excused.then((isExcused) => isExcused && attempts.excuse());
    attempts.setback('lost-alone');
    if (attempts.isSpent && this.#options.mode === 'offline') {
      await known;
      if (this.#closed) return;
      this.#sendAgain(trigger, attempts, lostFault(trigger, attempts));
      this.#moveOn();
    } else this.#sendAgain(trigger, attempts, lostFault(trigger, attempts));
  }

  #cameBack(trigger: DueWindow, attempts: Attempts, setback: Setback, fault: Fault): void {
    const pauseMs = attempts.setback(setback);
    if (pauseMs === 0) {
      this.#sendAgain(trigger, attempts, fault);
      return;
    }
    const pause = setTimeout(() => {
      this.#pauses.delete(pause);
      this.#sendAgain(trigger, attempts, fault);
      this.#moveOn();
    }, pauseMs);
    this.#pauses.add(pause);
  }

  /** Unless it was tried often enough; then `fault` is its result. */
  #sendAgain(trigger: DueWindow, attempts: Attempts, fault: Fault): void {
    if (attempts.isSpent) this.#conclude(trigger, attempts, errorAnswer(fault));
    else this.#options.schedule.giveBack(trigger, performance.now());
  }

  #conclude(trigger: DueWindow, { sent }: Attempts, answer: WindowAnswer['answer']): void {
    this.#options.schedule.answered(trigger, { answer, attempts: sent });
  }

  /** A window was answered, or may be sent again. */
  #moveOn(): void {
    this.#publishReady();
    this.offer();
    this.#options.events.changed();
  }

  #publishReady(): void {
    this.#unpublished.push(...this.#options.schedule.ready());
    if (this.#publishing || this.#unpublished.length === 0) return;
    this.#publishing = true;
    void this.#publishAll();
  }

  async #publishAll(): Promise<void> {
    const { changed, failed } = this.#options.events;
    try {
      for (let next = this.#unpublished.shift(); next !== undefined; next = this.#unpublished.shift()) {
        await this.#publish(next);
        this.offer();
        changed();
      }
    } catch (error) {
      failed(toFault(error));
    }
    this.#publishing = false;
    changed();
  }

  async #publish({ trigger, answer: { answer, attempts } }: Answered<BufferedFrame, WindowAnswer>): Promise<void> {
    const { schedule, recordPlace, mode, outlet, metrics, maxPayloadBytes, events } = this.#options;
    const afterCaptureMs = performance.now() - trigger.capturedAtMs;
    const lateMs = mode === 'offline' ? null : Math.max(0, Math.round(afterCaptureMs - this.#intervalMs));
    const record = recordOf(recordPlace, schedule.algorithm.name, trigger, answer, { attempts, lateMs });
    const { bytes, error } = recordBytes(record, maxPayloadBytes);
    const outcome = error ? outlet.errorFate : 'completed';
    switch (await outlet.publish({ record, trigger, bytes, error }, schedule.ledger.totalsWith(outcome))) {
      case 'published':
        schedule.settle(trigger.n, outcome);
        metrics.published(performance.now() - trigger.triggeredAtMs, lateMs);
        if (lateMs !== null && lateMs > 0) events.late(lateMs);
        return;
      case 'full':
        schedule.drop(trigger.n, 'results-full');
        return;
      case 'fenced':
        events.fenced();
        this.#unpublished.length = 0;
        return;
      case 'given-up':
        this.#unpublished.length = 0;
    }
  }
}

const lostFault = ({ n }: DueWindow, { sent }: Attempts): Fault =>
  new Fault('RUNNER_LOST', `the runner died or became unreachable while it held window ${n}, ${sent} times`);

const overdueFault = ({ n }: DueWindow, timeoutMs: number): Fault =>
  new Fault(
    'ALGORITHM_TIMEOUT',
    `the runner did not answer window ${n}, neither within its timeoutMs of ${timeoutMs} nor long after`,
  );

const wasGivenBack = (outcome: WorkOutcome): boolean =>
  outcome.kind === 'answered' && outcome.result.outcome?.$case === 'fault' && outcome.result.outcome.value.notStarted;
