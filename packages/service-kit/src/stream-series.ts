/**
 * The series of a stream go once it has been away for a while, or many others went after it, so that what a process exports, and holds for it, is
 * bounded by the streams that it has, however many come and go. Whoever scrapes has read their last figures by then.
 */

import type { Registry } from 'prom-client';

export type StreamSeriesOptions = {
  readonly registry: Registry;
  /** Whether something of the stream is still told here. */
  isHere(stream: string): boolean;
  /** Its series are gone: what they were made of is not needed any more. */
  forgotten?(stream: string): void;
};

export const KEPT_MS = 15 * 60_000;
/** Streams that are away and still told of: more than go between two scrapes. */
export const MOST_AWAY = 128;
const LOOK_MS = 30_000;

export class StreamSeries {
  readonly #options: StreamSeriesOptions;
  readonly #timer: NodeJS.Timeout;
  /** By stream: when it was here last, monotonic milliseconds; the one that has been away for longest first. */
  readonly #seenAtMs = new Map<string, number>();

  constructor(options: StreamSeriesOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.forget(performance.now()), LOOK_MS).unref();
  }

  /** To be called with whatever is counted first of a stream. */
  seen(stream: string): void {
    this.#wasHere(stream, performance.now());
  }

  /** Forgets those that were not here for KEPT_MS, and all but the last MOST_AWAY that are away. */
  async forget(nowMs: number): Promise<void> {
    const away: (readonly [string, number])[] = [];
    for (const [stream, atMs] of [...this.#seenAtMs]) {
      if (this.#options.isHere(stream)) this.#wasHere(stream, nowMs);
      else away.push([stream, atMs]);
    }
    const tooMany = away.length - MOST_AWAY;
    const gone = new Set(
      away.filter(([, atMs], index) => index < tooMany || nowMs - atMs >= KEPT_MS).map(([stream]) => stream),
    );
    if (gone.size === 0) return;
    for (const stream of gone) {
      this.#seenAtMs.delete(stream);
      this.#options.forgotten?.(stream);
    }
    await removeSeries(this.#options.registry, gone);
  }

  /** Idempotent. */
  close(): void {
    clearInterval(this.#timer);
  }

  #wasHere(stream: string, atMs: number): void {
    this.#seenAtMs.delete(stream);
    this.#seenAtMs.set(stream, atMs);
  }
}

async function removeSeries(registry: Registry, streams: ReadonlySet<string>): Promise<void> {
  for (const { name } of registry.getMetricsAsArray()) {
    const metric = registry.getSingleMetric(name);
    const { values = [] } = (await metric?.get()) ?? {};
    for (const { labels } of values) {
      // Of a histogram, each of whose buckets has one.
      const { le: _, ...others } = labels as Record<string, string>;
      if (streams.has(others.stream ?? '')) metric?.remove(others);
    }
  }
}
