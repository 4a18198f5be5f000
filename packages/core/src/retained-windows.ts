/**
 * Windows that an instance with memory has run and that another one would have to run again, to stand where it stands: those behind
 * the newest snapshot (EX-9). They keep their frames.
 */

import type { PublishedFrame } from './frame-history.ts';
import type { Trigger } from './prepared-windows.ts';

/** `F`: what is known of a frame. */
export class RetainedWindows<F extends PublishedFrame> {
  /** By n, ascending. */
  readonly #windows = new Map<number, Trigger<F>>();
  #missing: 'none' | 'frames' | 'inputs' = 'none';

  get size(): number {
    return this.#windows.size;
  }

  /** Whether none is missing: with them an instance gets from the newest snapshot, or from the beginning, to where the stream is. */
  get isWhole(): boolean {
    return this.#missing === 'none';
  }

  /** Whether playing the stream again would bring back what is missing: frames would come again, what an upstream said would not. */
  get canBePlayedAgain(): boolean {
    return this.#missing !== 'inputs';
  }

  /** The oldest n; Infinity where there is none. */
  get oldest(): number {
    const [oldest = Number.POSITIVE_INFINITY] = this.#windows.keys();
    return oldest;
  }

  /** The oldest slot that one of them wants; Infinity where there is none. */
  get neededFrom(): number {
    const [first] = this.#windows.values();
    return first?.frames[0]?.n ?? Number.POSITIVE_INFINITY;
  }

  /** The oldest behind n. */
  after(n: number): Trigger<F> | undefined {
    for (const window of this.#windows.values()) if (window.n > n) return window;
    return undefined;
  }

  /** @param window its n is above all others. */
  add(window: Trigger<F>): void {
    this.#windows.set(window.n, window);
  }

  /** Window n is no part of what is remembered: it ended the instance that ran it. */
  delete(n: number): void {
    this.#windows.delete(n);
  }

  /** A snapshot holds what there was up to n. */
  forgetThrough(n: number): void {
    for (const each of this.#windows.keys()) if (each <= n) this.#windows.delete(each);
  }

  /** A window that had to be run again cannot be, for want of its frames, or of what it came after. */
  miss(what: 'frames' | 'inputs'): void {
    if (this.#missing !== 'inputs') this.#missing = what;
  }
}
