/** What the epochs of a run yield here, one after the other: a file whose epochs come no further than the ones before is given up. Pure. */

/** Epochs in a row that came no further, until a file is given up. */
const MOST_FRUITLESS = 3;

export class EpochYield {
  /** n of the newest frame that was played, 0 before the first. */
  lastPlayed = 0;
  #mostDecoded = 0;
  #fruitless = 0;

  /** An epoch is over. */
  note({ lastPlayed, decoded }: { readonly lastPlayed: number; readonly decoded: number }): void {
    this.lastPlayed = Math.max(this.lastPlayed, lastPlayed);
    this.#fruitless = decoded > this.#mostDecoded ? 0 : this.#fruitless + 1;
    this.#mostDecoded = Math.max(this.#mostDecoded, decoded);
  }

  get isFruitless(): boolean {
    return this.#fruitless >= MOST_FRUITLESS;
  }
}
