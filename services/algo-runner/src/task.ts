/**
 * One invocation in this runner, from its arrival to its answer.
 *
 * Invariant: it is answered exactly once (G-4); what comes after that is left out.
 */

import { Fault, type FaultJson } from '@stream-infer/core/fault';
import type { Invocation } from '@stream-infer/proto/stream_infer/v1/invocation';

/** How an invocation ended. */
export type Outcome =
  | { readonly kind: 'data'; readonly data: Uint8Array; readonly snapshot?: Uint8Array | undefined }
  | {
      readonly kind: 'fault';
      readonly fault: FaultJson;
      readonly notStarted: boolean;
      readonly snapshot?: Uint8Array | undefined;
    };

/** The batch that it ran in. */
export type Ran = {
  readonly runUs: number;
  readonly batchWindows: number;
  /** Of the algorithm that ran it, where one did. */
  readonly version?: string | undefined;
};

/** In microseconds. */
export type Timings = Omit<Ran, 'version'> & { readonly queueUs: number; readonly fetchUs: number };

export type Answer = { readonly outcome: Outcome; readonly timings: Timings } & Pick<Ran, 'version'>;

export class Task {
  readonly invocation: Invocation;
  readonly stream: string;
  /** Counts up; of a stream's windows the oldest has the lowest. */
  readonly arrival: number;
  /** When its result is stale: Infinity where it never is. */
  readonly staleAtMs: number;
  fetchUs = 0;
  cancelled = false;
  /** A batch that it was in failed: it runs alone from then on. */
  alone = false;
  readonly #receivedAtMs: number;
  #answered: ((answer: Answer, place: string | undefined) => void) | undefined;

  /** @param answered is called once; `place` is where in the author's file it failed. */
  constructor(
    invocation: Invocation,
    arrival: number,
    nowMs: number,
    answered: (answer: Answer, place: string | undefined) => void,
  ) {
    this.invocation = invocation;
    this.stream = invocation.stream;
    this.arrival = arrival;
    this.staleAtMs = invocation.budgetMs > 0 ? nowMs + invocation.budgetMs : Number.POSITIVE_INFINITY;
    this.#receivedAtMs = nowMs;
    this.#answered = answered;
  }

  get isAnswered(): boolean {
    return this.#answered === undefined;
  }

  answer(outcome: Outcome, { runUs, batchWindows, version }: Ran = NOT_RUN, place?: string): void {
    const answered = this.#answered;
    this.#answered = undefined;
    const queueUs = Math.max(0, microsecondsSince(this.#receivedAtMs) - this.fetchUs - runUs);
    answered?.({ outcome, timings: { queueUs, fetchUs: this.fetchUs, runUs, batchWindows }, version }, place);
  }

  giveBack(why: string): void {
    const { code, message } = new Fault('NOT_STARTED', `invocation ${this.invocation.id} was not started: ${why}`);
    this.answer({ kind: 'fault', fault: { code, message }, notStarted: true });
  }

  /** Whether it waited too long; it is given back then. */
  isStale(): boolean {
    if (performance.now() < this.staleAtMs) return false;
    this.giveBack(`it waited longer than its budgetMs of ${this.invocation.budgetMs}`);
    return true;
  }
}

const NOT_RUN: Ran = { runUs: 0, batchWindows: 0 };

export const microsecondsSince = (startMs: number): number => Math.round((performance.now() - startMs) * 1000);
