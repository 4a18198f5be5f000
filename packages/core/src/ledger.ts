/**
 * What became of every invocation that an algorithm was due for (I1): triggered is completed plus failed plus dropped plus what is
 * still open, at every moment; once a run is over nothing is open.
 */

import { type AlgorithmTotals, NO_TOTALS } from './result-record.ts';

/** Why an invocation that was due has no result. */
export type DropReason =
  /** Realtime: a newer window came while it waited for a runner. */
  | 'replaced'
  /** Realtime: it waited so long that its result would be of no use. */
  | 'stale'
  /** A frame of its window left the buffer before the scheduler read of it. */
  | 'frame-lost'
  /** Realtime: a frame of its window left the buffer before the runner fetched it. */
  | 'frame-gone'
  /** Realtime: the result stream refused its result because it is full. */
  | 'results-full'
  /** Realtime: its source was connected to anew, or another scheduler took over, before its result was there. */
  | 'epoch-over'
  /** The run was ended before it was invoked. */
  | 'stopped'
  /** Realtime: the scheduler that had it died, or was cut off. */
  | 'lost-with-process';

/** `dead-lettered`: failed, and a dead letter says so. */
export type Outcome = 'completed' | 'failed' | 'dead-lettered' | DropReason;

export class Ledger {
  #triggered: number;
  #completed: number;
  /** The dead-lettered ones among them. */
  #failed: number;
  #deadLettered = 0;
  readonly #dropped: Map<string, number>;

  /** @param totals what a predecessor left. */
  constructor(totals: AlgorithmTotals = NO_TOTALS) {
    this.#triggered = totals.triggered;
    this.#completed = totals.completed;
    this.#failed = totals.failed;
    this.#dropped = new Map(Object.entries(totals.dropped));
  }

  trigger(count = 1): void {
    this.#triggered += count;
  }

  settle(outcome: Outcome, count = 1): void {
    if (outcome === 'completed') this.#completed += count;
    else if (outcome === 'failed') this.#failed += count;
    else if (outcome === 'dead-lettered') {
      this.#failed += count;
      this.#deadLettered += count;
    } else this.#dropped.set(outcome, (this.#dropped.get(outcome) ?? 0) + count);
  }

  get triggered(): number {
    return this.#triggered;
  }

  /** Triggered and not settled. */
  get open(): number {
    return this.#triggered - this.totals.triggered;
  }

  /** Of those that failed, counted here, not by a predecessor. */
  get deadLettered(): number {
    return this.#deadLettered;
  }

  /** Everything settled; what is open is left out of `triggered`, so that the sums agree. */
  get totals(): AlgorithmTotals {
    return this.#totals(this.#completed, this.#failed);
  }

  /** The totals as they will be with this one settled too. */
  totalsWith(outcome: 'completed' | 'failed' | 'dead-lettered'): AlgorithmTotals {
    const isCompleted = Number(outcome === 'completed');
    return this.#totals(this.#completed + isCompleted, this.#failed + 1 - isCompleted);
  }

  #totals(completed: number, failed: number): AlgorithmTotals {
    const dropped = Object.fromEntries(this.#dropped);
    const triggered = completed + failed + Object.values(dropped).reduce((sum, count) => sum + count, 0);
    return { triggered, completed, failed, dropped };
  }
}
