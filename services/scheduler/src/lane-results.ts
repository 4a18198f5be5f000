/**
 * What becomes of one algorithm's answers on one stream: records, in order, to where they belong, and their windows over.
 *
 * Invariant: results are published in trigger order, one at a time (I4).
 */

import { type Fault, toFault } from '@stream-infer/core/fault';
import type { Answered, Schedule } from '@stream-infer/core/schedule';
import type { Mode } from '@stream-infer/core/stream-spec';
import type { Answer } from './answer.ts';
import type { BufferedFrame } from './invocation-message.ts';
import type { LaneMetrics } from './metrics.ts';
import type { Outlet } from './outlet.ts';
import type { StateKeeper } from './state-keeper.ts';
import { type RecordPlace, recordBytes, recordOf, upstreamResult } from './window-result.ts';

/** An answer with how often its window was sent. */
export type WindowAnswer = {
  readonly answer: Exclude<Answer, { kind: 'not-started' }>;
  readonly attempts: number;
  readonly stateReset?: boolean;
};

export type LaneResultsOptions = {
  readonly schedule: Schedule<BufferedFrame, WindowAnswer>;
  readonly mode: Mode;
  /** Whose results they are: the same run, or the one that a replay mends. */
  readonly recordPlace: RecordPlace;
  readonly outlet: Outlet;
  /** What the algorithm remembers, where it does. */
  readonly state: StateKeeper;
  readonly metrics: LaneMetrics;
  /** The largest message that the bus takes. */
  readonly maxPayloadBytes: number;
  /** From one window to the next. */
  readonly intervalMs: number;
  readonly events: LaneResultsEvents;
  /** A result is published: there may be something to send. */
  offer(): void;
};

export type LaneResultsEvents = {
  /** A realtime result came so late. */
  late(lateMs: number): void;
  /** A window is answered or settled. */
  changed(): void;
  /** Another scheduler has the stream. */
  fenced(): void;
  failed(fault: Fault): void;
};

export class LaneResults {
  /** The algorithm has memory, which its results tell. */
  remembers = false;
  readonly #options: LaneResultsOptions;
  readonly #unpublished: Answered<BufferedFrame, WindowAnswer>[] = [];
  #publishing = false;

  constructor(options: LaneResultsOptions) {
    this.#options = options;
  }

  /** Whether nothing waits to be published. */
  get isQuiet(): boolean {
    return !this.#publishing;
  }

  /** To be called when the schedule may have answers whose turn it is. */
  publishReady(): void {
    this.#unpublished.push(...this.#options.schedule.ready());
    if (this.#publishing || this.#unpublished.length === 0) return;
    this.#publishing = true;
    void this.#publishAll();
  }

  async #publishAll(): Promise<void> {
    const { offer, events } = this.#options;
    try {
      for (let next = this.#unpublished.shift(); next !== undefined; next = this.#unpublished.shift()) {
        await this.#publish(next);
        offer();
        events.changed();
      }
    } catch (error) {
      events.failed(toFault(error));
    }
    this.#publishing = false;
    events.changed();
  }

  async #publish({ trigger, answer: answered }: Answered<BufferedFrame, WindowAnswer>): Promise<void> {
    const { schedule, recordPlace, mode, intervalMs, outlet, state, metrics, maxPayloadBytes, events } = this.#options;
    const { answer, attempts, stateReset } = answered;
    const afterCaptureMs = performance.now() - trigger.capturedAtMs;
    const lateMs = mode === 'offline' ? null : Math.max(0, Math.round(afterCaptureMs - intervalMs));
    const record = recordOf(recordPlace, schedule.algorithm.name, trigger, answer, { attempts, lateMs, stateReset });
    const { bytes, error } = recordBytes(record, maxPayloadBytes);
    const outcome = error ? outlet.errorFate : 'completed';
    const facts = { totals: schedule.ledger.totalsWith(outcome), remembers: this.remembers };
    switch (await outlet.publish({ record, trigger, bytes, error }, facts)) {
      case 'published':
        state.published(trigger.n);
        schedule.settle(trigger.n, outcome, schedule.onSettled && upstreamResult(error ? { error } : record));
        metrics.published(performance.now() - trigger.triggeredAtMs, lateMs, error);
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
