/**
 * The series of a stream go once it has been away for a while, so that what a process exports is bounded by the streams that it has, or had
 * of late, however many come and go. Whoever scrapes has read their last figures by then.
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
const LOOK_MS = 60_000;

export class StreamSeries {
  readonly #options: StreamSeriesOptions;
  readonly #timer: NodeJS.Timeout;
  /** By stream: when it was here last, monotonic milliseconds. */
  readonly #seenAtMs = new Map<string, number>();

  constructor(options: StreamSeriesOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.forget(performance.now()), LOOK_MS).unref();
  }

  /** To be called with whatever is counted first of a stream. */
  seen(stream: string): void {
    this.#seenAtMs.set(stream, performance.now());
  }

  /** Forgets those that were not here for KEPT_MS. */
  async forget(nowMs: number): Promise<void> {
    const gone = new Set<string>();
    for (const [stream, atMs] of this.#seenAtMs) {
      if (this.#options.isHere(stream)) this.#seenAtMs.set(stream, nowMs);
      else if (nowMs - atMs >= KEPT_MS) gone.add(stream);
    }
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
