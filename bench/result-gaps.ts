/** How far apart the results of each series are: by their frames, so that one that is missing is seen, and by the time at which they came. */

export type Arrival = {
  readonly stream: string;
  readonly algorithm: string;
  readonly n: number;
  readonly atMs: number;
};

export type SeriesGaps = {
  readonly stream: string;
  readonly algorithm: string;
  readonly results: number;
  /** Between two results that followed each other, at most. */
  readonly frames: number;
  readonly ms: number;
  /** When the longest in time began, by the clock of the arrivals. */
  readonly sinceMs: number;
};

export class ResultGaps {
  readonly #series = new Map<string, SeriesGaps & { readonly last: Arrival }>();

  add(arrival: Arrival): void {
    const { stream, algorithm, n, atMs } = arrival;
    const key = `${stream}/${algorithm}`;
    const before = this.#series.get(key);
    const gapMs = before ? atMs - before.last.atMs : 0;
    const isLongest = before === undefined || gapMs > before.ms;
    this.#series.set(key, {
      stream,
      algorithm,
      results: (before?.results ?? 0) + 1,
      frames: Math.max(before?.frames ?? 0, before ? n - before.last.n : 0),
      ms: isLongest ? gapMs : before.ms,
      sinceMs: isLongest ? (before?.last.atMs ?? atMs) : before.sinceMs,
      last: arrival,
    });
  }

  get size(): number {
    return this.#series.size;
  }

  /** By stream and algorithm. A series that has come to a stop has a gap up to now. */
  all(nowMs: number): readonly SeriesGaps[] {
    return [...this.#series]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { last, ...gaps }]) =>
        nowMs - last.atMs > gaps.ms ? { ...gaps, ms: nowMs - last.atMs, sinceMs: last.atMs } : gaps,
      );
  }
}
