/**
 * The published frames that a stream's windows may still reach, by number. Frames come in ascending n, leave at the old end, and
 * what was lost between two of them is known (EX-1), so that no window silently takes one frame for another.
 */

import type { Sampling } from './run.ts';

/** What scheduling needs to know of a published frame. */
export type PublishedFrame = {
  readonly n: number;
  /** Its message in the frame buffer. */
  readonly sequence: number;
};

/** What a window gets for a number: the frame, `lost` where there was one that never came, `none` where there is none. */
export type Found<F> = { readonly kind: 'frame'; readonly frame: F } | { readonly kind: 'lost' | 'none' };

type Entry<F> = { readonly frame: F; readonly afterLoss: boolean };

export class FrameHistory<F extends PublishedFrame> {
  readonly #sampling: Sampling;
  readonly #entries: Entry<F>[] = [];
  /** Of the entries: how many at the old end are let go. Cut off now and then, not one by one. */
  #first = 0;

  constructor(sampling: Sampling) {
    this.#sampling = sampling;
  }

  /** How many frames it holds. */
  get size(): number {
    return this.#entries.length - this.#first;
  }

  /** @param afterLoss whether frames between it and the one before were lost. */
  push(frame: F, afterLoss: boolean): void {
    this.#entries.push({ frame, afterLoss });
  }

  /** The frame of slot n: by index the one with that number, by time that or the nearest older one. */
  find(n: number): Found<F> {
    const at = this.#newestUpTo(n);
    const entry = at >= this.#first ? this.#entries[at] : undefined;
    if (entry?.frame.n === n) return { kind: 'frame', frame: entry.frame };
    if (this.#entries[Math.max(at, this.#first - 1) + 1]?.afterLoss) return { kind: 'lost' };
    if (entry === undefined) return { kind: 'none' };
    return this.#sampling === 'time' ? { kind: 'frame', frame: entry.frame } : { kind: 'lost' };
  }

  /**
   * Lets go of the frames that nothing wants which wants only slots from `n` on. By time, the newest frame up to n stays, since
   * slot n may turn out to be a gap.
   * @param onForgotten told of each.
   * @returns the sequence of the newest frame let go, undefined where none was.
   */
  forgetBefore(n: number, onForgotten?: (frame: F) => void): number | undefined {
    const at = this.#newestUpTo(n);
    const keepFrom = this.#sampling === 'time' || this.#entries[at]?.frame.n === n ? at : at + 1;
    if (keepFrom <= this.#first) return undefined;
    const sequence = this.#entries[keepFrom - 1]?.frame.sequence;
    if (onForgotten) for (const { frame } of this.#entries.slice(this.#first, keepFrom)) onForgotten(frame);
    this.#first = keepFrom;
    if (this.#first > 64 && this.#first > this.#entries.length / 2) {
      this.#entries.splice(0, this.#first);
      this.#first = 0;
    }
    return sequence;
  }

  /** Index of the newest entry with a number up to n, -1 where there is none. */
  #newestUpTo(n: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.#entries[middle];
      if (entry !== undefined && entry.frame.n <= n) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
