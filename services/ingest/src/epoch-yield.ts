/** What the epochs of a run yield here, one after the other: a file whose epochs come no further than the ones before is given up. Pure. */

import type { NewestFrame } from '@stream-infer/core/run';

/** Epochs in a row that came no further, until a file is given up. */
const MOST_FRUITLESS = 3;

export class EpochYield {
  /** Of what was played; undefined before the first. */
  newest: NewestFrame | undefined;
  #mostDecoded = 0;
  #fruitless = 0;

  /** An epoch is over. */
  note({ newest, decoded }: { readonly newest: NewestFrame | undefined; readonly decoded: number }): void {
    if (newest && newest.n > (this.newest?.n ?? 0)) this.newest = newest;
    this.#fruitless = decoded > this.#mostDecoded ? 0 : this.#fruitless + 1;
    this.#mostDecoded = Math.max(this.#mostDecoded, decoded);
  }

  get isFruitless(): boolean {
    return this.#fruitless >= MOST_FRUITLESS;
  }
}
