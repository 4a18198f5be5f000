/**
 * One algorithm on one stream: takes windows from its schedule to the dispatcher, and answers back to the schedule. What is decided is
 * decided by the schedule; this moves it.
 *
 * Invariants: every window that was taken is settled exactly once (I1); a window that comes back without a result is sent again, to
 * whichever runner has room, until its attempts are spent.
 */

import { Attempts, type Setback } from '@stream-infer/core/attempts';
import { Fault, type FaultCode } from '@stream-infer/core/fault';
import type { Trigger } from '@stream-infer/core/schedule';
import type { Turn } from '@stream-infer/core/state-turns';
import type { Result } from '@stream-infer/proto/stream_infer/v1/result';
import { answerOf, errorAnswer } from './answer.ts';
import type { Dispatcher } from './dispatcher.ts';
import { type BufferedFrame, invocationMessage, type RunPlace } from './invocation-message.ts';
import { LaneResults, type LaneResultsEvents, type LaneResultsOptions, type WindowAnswer } from './lane-results.ts';
import { lostFault, overdueFault } from './send-fault.ts';
import { turnMessage } from './state-keeper.ts';
import type { Carrier, Work, WorkOutcome, WorkSource } from './work.ts';

export type LaneOptions = Omit<LaneResultsOptions, 'offer' | 'events'> & {
  readonly place: RunPlace;
  readonly dispatcher: Dispatcher;
  readonly isReplay: boolean;
  readonly events: LaneEvents;
};

export type LaneEvents = LaneResultsEvents & {
  /** Offline: a frame is wanted that is in the buffer no more, or what the algorithm remembered is to be learnt again. */
  gone(): void;
};

type DueWindow = Trigger<BufferedFrame>;

/** Of these neither the algorithm is to blame, nor would another try find anything else. */
const FINAL: ReadonlySet<FaultCode> = new Set<FaultCode>(['FRAME_MISMATCH']);

export class Lane implements WorkSource {
  readonly definition: string;
  readonly #options: LaneOptions;
  readonly #attempts = new WeakMap<DueWindow, Attempts>();
  /** Of windows that the bus failed: when they are sent again. */
  readonly #pauses = new Set<NodeJS.Timeout>();
  readonly #underWay = new Map<DueWindow, Work>();
  readonly #results: LaneResults;
  #halted = false;
  #closed = false;

  constructor(options: LaneOptions) {
    const { algorithm } = options.schedule;
    this.definition = algorithm.definition;
    this.#options = options;
    this.#results = new LaneResults({ ...options, offer: () => this.offer() });
  }

  /** Whether nothing is under way and nothing waits to be published. */
  get isQuiet(): boolean {
    return this.#underWay.size === 0 && this.#results.isQuiet;
  }

  /** To be called when the schedule may have something to send. What still waits then takes the place of what has not started. */
  offer(): void {
    const { schedule, state, dispatcher } = this.#options;
    if (this.#halted) return;
    this.#answerFailed();
    if (schedule.canTake || state.replays) dispatcher.offer(this);
    for (const trigger of schedule.overtaken()) {
      const work = this.#underWay.get(trigger);
      if (work) dispatcher.recall(work);
    }
  }

  get wantsAlone(): boolean {
    const { schedule, state } = this.#options;
    const { next } = schedule;
    return !state.replays && next !== undefined && this.#attempts.get(next)?.mustBeAlone === true;
  }

  get home(): Carrier | undefined {
    return this.#options.state.home;
  }

  take(carrier: Carrier): Work | undefined {
    if (this.#halted) return undefined;
    this.#answerFailed();
    return carrier.remembers(this.definition) ? this.#takeInTurn(carrier) : this.#takeNext(undefined);
  }

  /** Of an algorithm with memory: one at a time, and first what is to be run again. */
  #takeInTurn(carrier: Carrier): Work | undefined {
    const { schedule, state, place, isReplay, events } = this.#options;
    if (this.#underWay.size > 0) return undefined;
    this.#results.remembers = true;
    const { name } = schedule.algorithm;
    if (isReplay) {
      const alone = `${name} remembers its stream, so that its windows cannot be run alone: run the stream again`;
      this.#giveUp(new Fault('STATE_LOST', alone));
      return undefined;
    }
    if (state.needsRewind) {
      const lost = `what ${name} remembered of stream ${place.stream} is gone with its runner, and what it came after is on the bus no more: give it snapshot and restore, and run the stream again`;
      if (state.canBePlayedAgain) {
        this.halt();
        events.gone();
      } else this.#giveUp(new Fault('STATE_LOST', lost));
      return undefined;
    }
    const turn = state.turn(carrier);
    const { replay } = turn;
    if (replay === undefined) return this.#takeNext(turn);
    const attempts = this.#attemptsOf(replay);
    return this.#work(replay, turn, { alone: false, budgetMs: 0 }, (outcome) => {
      // It was run once and ends every instance now, as it did then.
      if (outcome.kind === 'overdue') attempts.setback('failed');
      else if (outcome.kind === 'lost') attempts.setback(outcome.alone ? 'lost-alone' : 'lost-in-company');
      if (attempts.isSpent) state.skip(replay);
    });
  }

  #takeNext(turn: Turn<BufferedFrame> | undefined): Work | undefined {
    const { schedule, dispatcher } = this.#options;
    const nowMs = performance.now();
    const trigger = schedule.take(nowMs);
    if (trigger === undefined) return undefined;
    const attempts = this.#attemptsOf(trigger);
    const budgetMs = schedule.budgetMs(trigger, nowMs);
    const sending = { alone: attempts.mustBeAlone, budgetMs: Number.isFinite(budgetMs) ? Math.ceil(budgetMs) : 0 };
    return this.#work(trigger, turn, sending, (outcome) => {
      this.#settled(trigger, attempts, outcome, turn);
      if (wasGivenBack(outcome) && !this.#halted && schedule.canTake) dispatcher.offerFirst(this);
    });
  }

  /** @param turn of an algorithm with memory. @param settled told of what became of it, unless it is wanted no more. */
  #work(
    trigger: DueWindow,
    turn: Turn<BufferedFrame> | undefined,
    { alone, budgetMs }: { alone: boolean; budgetMs: number },
    settled: (outcome: WorkOutcome) => void,
  ): Work {
    const { schedule, place, state } = this.#options;
    const attempt = this.#attemptsOf(trigger).send();
    const sending = { attempt, budgetMs, ...(turn && { state: turnMessage(turn) }) };
    const work: Work = {
      alone,
      invocation: invocationMessage(place, schedule.algorithm, trigger, sending),
      settle: (outcome) => {
        if (!this.#underWay.delete(trigger)) return;
        if (turn) state.settled(trigger, turn, outcome);
        settled(outcome);
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
    this.#options.state.close(this.definition);
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

  #giveUp(fault: Fault): void {
    this.halt();
    this.#options.events.failed(fault);
  }

  /** Windows that need no runner: what they come after has an error, and so have they. */
  #answerFailed(): void {
    const { schedule } = this.#options;
    for (let failed = schedule.takeFailed(); failed; failed = schedule.takeFailed())
      schedule.answered(failed.trigger, { answer: errorAnswer(failed.fault), attempts: 0 });
    this.#results.publishReady();
  }

  #settled(trigger: DueWindow, attempts: Attempts, outcome: WorkOutcome, turn: Turn<BufferedFrame> | undefined): void {
    const { schedule } = this.#options;
    switch (outcome.kind) {
      case 'answered':
        this.#answered(trigger, attempts, outcome.result, turn);
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

  #answered(trigger: DueWindow, attempts: Attempts, result: Result, turn: Turn<BufferedFrame> | undefined): void {
    const { schedule, mode } = this.#options;
    const answer = answerOf(result);
    if (answer.kind === 'not-started') this.#cameBack(trigger, attempts, 'not-started', answer.fault);
    else if (answer.kind === 'data') this.#conclude(trigger, attempts, answer, turn);
    else if (answer.fault.code === 'BUS_FAILED') this.#cameBack(trigger, attempts, 'bus-failed', answer.fault);
    else if (answer.fault.code === 'FRAME_GONE' && mode === 'realtime') schedule.drop(trigger.n, 'frame-gone');
    else if (answer.fault.code === 'FRAME_GONE') this.#gone(trigger);
    // What has memory may remember what it saw of it: it would see it twice.
    else if (turn || FINAL.has(answer.fault.code)) this.#conclude(trigger, attempts, answer, turn);
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

  #conclude(trigger: DueWindow, { sent }: Attempts, answer: WindowAnswer['answer'], turn?: Turn<BufferedFrame>): void {
    const stateReset = turn?.stateReset ?? false;
    this.#options.schedule.answered(trigger, { answer, attempts: sent, stateReset });
  }

  /** A window was answered, or may be sent again. */
  #moveOn(): void {
    this.#results.publishReady();
    this.offer();
    this.#options.events.changed();
  }
}

const wasGivenBack = (outcome: WorkOutcome): boolean =>
  outcome.kind === 'answered' && outcome.result.outcome?.$case === 'fault' && outcome.result.outcome.value.notStarted;
