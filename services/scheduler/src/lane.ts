/**
 * One algorithm on one stream: takes windows from its schedule to the dispatcher, answers back to the schedule, and results, in order,
 * to RESULTS. What is decided is decided by the schedule; this moves it.
 *
 * Invariants: every window that was taken is settled exactly once (I1); results are published in trigger order, one at a time (I4); an
 * invocation that a runner lost is sent again, to whichever has room.
 */

import { Fault, toFault } from '@stream-infer/core/fault';
import type { Answered, Schedule, Trigger } from '@stream-infer/core/schedule';
import type { Turn } from '@stream-infer/core/state-turns';
import type { Mode } from '@stream-infer/core/stream-spec';
import type { Result } from '@stream-infer/proto/stream_infer/v1/result';
import { type Answer, answerOf, errorAnswer } from './answer.ts';
import type { Dispatcher } from './dispatcher.ts';
import { type BufferedFrame, invocationMessage, type RunPlace } from './invocation-message.ts';
import type { LaneMetrics } from './metrics.ts';
import type { ResultHold } from './result-hold.ts';
import type { ResultPublisher } from './result-publisher.ts';
import { type StateKeeper, turnMessage } from './state-keeper.ts';
import { recordBytes, recordOf, upstreamResult } from './window-result.ts';
import type { Carrier, Work, WorkOutcome, WorkSource } from './work.ts';

/** An answer with how often its window was sent. */
export type WindowAnswer = {
  readonly answer: Exclude<Answer, { kind: 'not-started' }>;
  readonly attempts: number;
  readonly stateReset?: boolean;
};

export type LaneOptions = {
  readonly schedule: Schedule<BufferedFrame, WindowAnswer>;
  readonly place: RunPlace;
  readonly mode: Mode;
  readonly dispatcher: Dispatcher;
  readonly publisher: ResultPublisher;
  /** Where other algorithms come after this one. */
  readonly hold?: ResultHold | undefined;
  /** What the algorithm remembers, where it does. */
  readonly state: StateKeeper;
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
  failed(fault: Fault): void;
  /** What the algorithm remembered is gone: the stream is to be played from its beginning again. */
  rewind(fault: Fault): void;
};

/** How often a window was sent, and how often it may have been run. */
type Sends = { sent: number; run: number };

/** How often a window is run at most where runners die under it or the bus fails them. */
const MOST_RUNS = 3;
/** How often a window is sent at most where runners give it back unstarted. */
const MOST_SENDS = 20;

export class Lane implements WorkSource {
  readonly definition: string;
  readonly #options: LaneOptions;
  readonly #intervalMs: number;
  readonly #sends = new WeakMap<Trigger<BufferedFrame>, Sends>();
  readonly #underWay = new Set<Work>();
  readonly #unpublished: Answered<BufferedFrame, WindowAnswer>[] = [];
  #publishing = false;
  /** A runner that takes its windows says that it has memory. */
  #remembers = false;
  #halted = false;

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

  /** To be called when the schedule may have something to send. */
  offer(): void {
    if (this.#halted) return;
    this.#answerFailed();
    if (this.#options.schedule.canTake || this.#options.state.replays) this.#options.dispatcher.offer(this);
  }

  get home(): Carrier | undefined {
    return this.#options.state.home;
  }

  take(carrier: Carrier): Work | undefined {
    this.#answerFailed();
    return carrier.remembers(this.definition) ? this.#takeInTurn(carrier) : this.#takeNext(undefined);
  }

  /** Of an algorithm with memory: one at a time, and first what is to be run again. */
  #takeInTurn(carrier: Carrier): Work | undefined {
    const { schedule, state, place, events } = this.#options;
    if (this.#underWay.size > 0) return undefined;
    this.#remembers = true;
    if (state.needsRewind) {
      const { name } = schedule.algorithm;
      const lost = `what ${name} remembered of stream ${place.stream} is gone with its runner: give it snapshot and restore`;
      this.halt();
      events.rewind(new Fault('STATE_LOST', lost));
      return undefined;
    }
    const turn = state.turn(carrier);
    if (turn.replay === undefined) return this.#takeNext(turn);
    return this.#work(turn.replay, turn, 0, () => undefined);
  }

  #takeNext(turn: Turn<BufferedFrame> | undefined): Work | undefined {
    const { schedule } = this.#options;
    const nowMs = performance.now();
    const trigger = schedule.take(nowMs);
    if (trigger === undefined) return undefined;
    const budgetMs = schedule.budgetMs(trigger, nowMs);
    return this.#work(trigger, turn, Number.isFinite(budgetMs) ? Math.ceil(budgetMs) : 0, (sends, outcome) => {
      this.#settled(trigger, sends, outcome, turn?.stateReset ?? false);
      this.#publishReady();
    });
  }

  #work(
    trigger: Trigger<BufferedFrame>,
    turn: Turn<BufferedFrame> | undefined,
    budgetMs: number,
    settled: (sends: Sends, outcome: WorkOutcome) => void,
  ): Work {
    const { schedule, place, state, events } = this.#options;
    const sends = this.#sends.get(trigger) ?? { sent: 0, run: 0 };
    this.#sends.set(trigger, sends);
    sends.sent += 1;
    const sending = { attempt: sends.sent, budgetMs, ...(turn && { state: turnMessage(turn) }) };
    const work: Work = {
      invocation: invocationMessage(place, schedule.algorithm, trigger, sending),
      settle: (outcome) => {
        if (!this.#underWay.delete(work)) return;
        if (turn) state.settled(trigger, turn, outcome);
        settled(sends, outcome);
        this.offer();
        events.changed();
      },
    };
    this.#underWay.add(work);
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
    for (const work of this.#underWay) this.#options.dispatcher.cancel(work);
    this.#underWay.clear();
    this.#options.state.close(this.definition);
    this.#options.metrics.close();
  }

  /** Windows that need no runner: what they come after has an error, and so have they. */
  #answerFailed(): void {
    const { schedule } = this.#options;
    for (let failed = schedule.takeFailed(); failed; failed = schedule.takeFailed())
      schedule.answered(failed.trigger, { answer: errorAnswer(failed.fault), attempts: 0 });
    this.#publishReady();
  }

  #settled(trigger: Trigger<BufferedFrame>, sends: Sends, outcome: WorkOutcome, stateReset: boolean): void {
    switch (outcome.kind) {
      case 'answered':
        this.#answered(trigger, sends, outcome.result, stateReset);
        return;
      case 'lost': {
        if (outcome.mayHaveStarted) sends.run += 1;
        const message = `the runner died or became unreachable while it held window ${trigger.n}, ${sends.sent} times`;
        this.#sendAgain(trigger, sends, new Fault('RUNNER_LOST', message));
      }
    }
  }

  #answered(trigger: Trigger<BufferedFrame>, sends: Sends, result: Result, stateReset: boolean): void {
    const { schedule, mode } = this.#options;
    const answer = answerOf(result);
    if (answer.kind === 'not-started') this.#sendAgain(trigger, sends, answer.fault);
    else if (answer.kind === 'error' && answer.fault.code === 'BUS_FAILED') {
      sends.run += 1;
      this.#sendAgain(trigger, sends, answer.fault);
    } else if (answer.kind === 'error' && answer.fault.code === 'FRAME_GONE' && mode === 'realtime')
      schedule.drop(trigger.n, 'frame-gone');
    else schedule.answered(trigger, { answer, attempts: sends.sent, stateReset });
  }

  /** Unless it was tried often enough; then `fault` is its result. */
  #sendAgain(trigger: Trigger<BufferedFrame>, { sent, run }: Sends, fault: Fault): void {
    const { schedule } = this.#options;
    if (run < MOST_RUNS && sent < MOST_SENDS) schedule.giveBack(trigger, performance.now());
    else schedule.answered(trigger, { answer: errorAnswer(fault), attempts: sent });
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

  async #publish({
    trigger,
    answer: { answer, attempts, stateReset },
  }: Answered<BufferedFrame, WindowAnswer>): Promise<void> {
    const { schedule, place, mode, publisher, hold, state, metrics, maxPayloadBytes, events } = this.#options;
    const afterCaptureMs = performance.now() - trigger.capturedAtMs;
    const lateMs = mode === 'offline' ? null : Math.max(0, Math.round(afterCaptureMs - this.#intervalMs));
    const record = recordOf(place, schedule.algorithm.name, trigger, answer, { attempts, lateMs, stateReset });
    const { bytes, error } = recordBytes(record, maxPayloadBytes);
    const outcome = error ? 'failed' : 'completed';
    const neededFrom = hold?.neededFrom;
    const totals = schedule.ledger.totalsWith(outcome);
    const facts = { totals, remembers: this.#remembers, ...(neededFrom !== undefined && { neededFrom }) };
    switch (await publisher.publish(trigger.n, bytes, facts)) {
      case 'published':
        state.published(trigger.n);
        hold?.published(trigger.n, publisher.lastSequence);
        schedule.settle(trigger.n, outcome, hold && upstreamResult(error ? { error } : record));
        metrics.published(performance.now() - trigger.triggeredAtMs, lateMs);
        if (lateMs !== null && lateMs > 0) events.late(lateMs);
        return;
      case 'full':
        schedule.drop(trigger.n, 'results-full');
        return;
      case 'given-up':
        this.#unpublished.length = 0;
    }
  }
}
