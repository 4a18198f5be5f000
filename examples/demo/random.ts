/**
 * Numbers that look random and depend on a seed alone, in integer arithmetic of 32 bits: the same everywhere.
 *
 * A sequence is named by a list of integers (a seed, a frame's number, a purpose), so that frame 1000 is drawn without
 * drawing the 999 before it, and no two purposes share a sequence.
 */

/** Scrambles 32 bits so that every bit of the input reaches every bit of the result. */
export function scramble(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}

/** One sequence; every method takes the next number or numbers from it. */
export class Random {
  #state: number;

  /** @param name integers that name the sequence; the order counts. */
  constructor(...name: readonly number[]) {
    let state = 0x51ed270b;
    for (const part of name) state = scramble(state ^ scramble(part));
    this.#state = state;
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    return scramble(this.#state) / 4294967296;
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** A whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)] as T;
  }

  /** Bell-shaped with mean 0 and variance 1, never beyond ±3.5: the sum of four uniform numbers. */
  bell(): number {
    return (this.next() + this.next() + this.next() + this.next() - 2) * 1.7320508075688772;
  }

  /** Puts the list in another order, in place. */
  shuffle<T>(list: T[]): void {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.whole(0, i);
      [list[i], list[j]] = [list[j] as T, list[i] as T];
    }
  }
}
