/**
 * How many windows of one algorithm on one stream become due in a second. It begins with what the schedule says, so that a camera counts
 * from the moment that it plays, and follows what comes: a camera that is slower than asked, or says nothing any more, is less.
 */

export type DueRateOptions = { /** As scheduled. */ readonly perSecond: number; readonly nowMs: number };

/** A part of what is scheduled: what has faded so far is nothing, as somebody waits for nothing before the last runner stops. */
const NOTHING = 0.01;
const LEAST_MEMORY_SECONDS = 10;
const MEMORY_INTERVALS = 4;

export class DueRate {
  readonly #memorySeconds: number;
  readonly #nothing: number;
  #perSecond: number;
  #due = 0;
  #atMs: number;

  constructor({ perSecond, nowMs }: DueRateOptions) {
    this.#perSecond = perSecond;
    this.#nothing = NOTHING * perSecond;
    this.#memorySeconds = Math.max(LEAST_MEMORY_SECONDS, MEMORY_INTERVALS / perSecond);
    this.#atMs = nowMs;
  }

  get perSecond(): number {
    return this.#perSecond < this.#nothing ? 0 : this.#perSecond;
  }

  /** @param due how many there have been so far, from 0. */
  sample(due: number, nowMs: number): void {
    const seconds = (nowMs - this.#atMs) / 1_000;
    if (seconds <= 0) return;
    const rate = (due - this.#due) / seconds;
    this.#perSecond += (1 - Math.exp(-seconds / this.#memorySeconds)) * (rate - this.#perSecond);
    this.#due = due;
    this.#atMs = nowMs;
  }
}
