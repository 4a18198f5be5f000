/**
 * Who is next among the invocations that wait for one algorithm. Streams take turns, so that a busy one delays no other (I6);
 * within a stream the oldest comes first. A stream whose last item is taken out of its place keeps its turn: a newer one may come for it.
 */

/** `arrival` counts up: of a stream's items the oldest has the lowest. */
export class FairQueue<T extends { readonly stream: string; readonly arrival: number }> {
  /** The stream whose turn is next stands first. An empty list is a turn that is kept. */
  readonly #streams = new Map<string, T[]>();

  get size(): number {
    return [...this.#streams.values()].reduce((sum, items) => sum + items.length, 0);
  }

  push(item: T): void {
    const items = this.#streams.get(item.stream);
    if (!items) this.#streams.set(item.stream, [item]);
    else items.splice(items.findLastIndex(({ arrival }) => arrival < item.arrival) + 1, 0, item);
  }

  /** Everything in it, by stream. */
  items(): T[] {
    return [...this.#streams.values()].flat();
  }

  /** The next one for which this holds, taken out; its stream goes to the end of the round. */
  shift(isWanted: (item: T) => boolean = () => true): T | undefined {
    for (const [stream, items] of this.#streams) {
      const at = items.findIndex(isWanted);
      if (at < 0 && items.length > 0) continue;
      const [item] = items.splice(at, 1);
      this.#streams.delete(stream);
      if (items.length > 0) this.#streams.set(stream, items);
      if (item !== undefined) return item;
    }
    return undefined;
  }

  /** The oldest of one stream, taken out before its turn; what else the stream has stays where it is. */
  shiftOf(stream: string): T | undefined {
    const items = this.#streams.get(stream);
    const item = items?.shift();
    if (items?.length === 0) this.#streams.delete(stream);
    return item;
  }

  /** Takes `item` out wherever it stands; false where it is not in the queue. */
  delete(item: T): boolean {
    const items = this.#streams.get(item.stream);
    const at = items?.indexOf(item) ?? -1;
    if (!items || at < 0) return false;
    items.splice(at, 1);
    return true;
  }
}
