/**
 * Which of an algorithm's published results must stay on the bus because an algorithm that comes after it has not done with them:
 * whoever takes the stream over reads them back. The newest result names the oldest that is needed, and the collector trims
 * no further.
 */

type Published = { readonly n: number; readonly sequence: number };

export class ResultHold {
  readonly #published: Published[] = [];
  readonly #oldestWanted: () => number;

  /** @param oldestWanted the oldest n that what comes after it may still want; Infinity where none is. */
  constructor(oldestWanted: () => number) {
    this.#oldestWanted = oldestWanted;
  }

  /** The result of window n stands in RESULTS. */
  published(n: number, sequence: number): void {
    this.#published.push({ n, sequence });
  }

  /** Sequence of the oldest result that is needed; undefined where only the newest is, which is always kept. */
  get neededFrom(): number | undefined {
    const oldest = this.#oldestWanted();
    while (this.#published[0] && this.#published[0].n < oldest) this.#published.shift();
    return this.#published[0]?.sequence;
  }
}
