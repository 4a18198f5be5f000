/**
 * Windows that are in memory and wait for an instance: what the next batch is made of, and when it goes. The oldest window of each
 * camera comes first, in turns (I6).
 *
 * A batch goes when it is full; an idle instance takes one that is not once maxDelayMs have passed since its first window was there, or
 * just before the first of its windows is stale. Where more windows are known to come, those maxDelayMs are of the instance's idle time:
 * what was replaced in the meantime is a message and a fetch away, and a batch without it would leave its place empty. Times are milliseconds of one monotonic clock, the caller's.
 */

import { FairQueue } from './fair-queue.ts';

/** A window, as it is needed here. */
export type BatchWindow = {
  readonly stream: string;
  readonly arrival: number;
  readonly readyAtMs: number;
  readonly staleAtMs: number;
  /** It is a batch by itself. */
  readonly alone: boolean;
};

export type BatchLimits = { readonly maxBatch: number; readonly maxDelayMs: number };

/** An instance is to have begun by the time that a window is stale. */
const BEFORE_STALE_MS = 2;

export class FillingBatch<W extends BatchWindow> {
  readonly #limits: BatchLimits;
  readonly #waiting = new FairQueue<W>();
  readonly #alone: W[] = [];

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#waiting.size + this.#alone.length;
  }

  push(window: W): void {
    if (window.alone) this.#alone.push(window);
    else this.#waiting.push(window);
  }

  /** Whether the next batch waits for no other window. */
  get isFull(): boolean {
    return this.#alone.length > 0 || this.#waiting.size >= this.#limits.maxBatch;
  }

  /**
   * When an idle instance takes what there is; Infinity where there is nothing.
   * @param idleSinceMs the instance's, where more windows are known to come.
   */
  dueAtMs(idleSinceMs = Number.NEGATIVE_INFINITY): number {
    if (this.isFull) return Number.NEGATIVE_INFINITY;
    const windows = this.#waiting.items();
    const firstMs = Math.min(...windows.map(({ readyAtMs }) => readyAtMs));
    const filledAtMs = Math.max(firstMs, idleSinceMs) + this.#limits.maxDelayMs;
    return Math.min(filledAtMs, ...windows.map(({ staleAtMs }) => staleAtMs - BEFORE_STALE_MS));
  }

  /** The next batch of windows for which this holds, taken out; empty where there is nothing. */
  shift(isWanted: (window: W) => boolean = () => true): W[] {
    const at = this.#alone.findIndex(isWanted);
    if (at >= 0) return this.#alone.splice(at, 1);
    const batch: W[] = [];
    while (batch.length < this.#limits.maxBatch) {
      const window = this.#waiting.shift(isWanted);
      if (!window) break;
      batch.push(window);
    }
    return batch;
  }

  /** Takes out what this holds for; oldest first within a stream. */
  remove(isWanted: (window: W) => boolean): W[] {
    const removed = [...this.#alone, ...this.#waiting.items()].filter(isWanted);
    for (const window of removed) if (!this.#waiting.delete(window)) this.#alone.splice(this.#alone.indexOf(window), 1);
    return removed;
  }
}
