/** Announces once a second how the algorithms of a run are getting on: what the ledgers say, and how old and how late the newest result is. */

import { type AlgorithmStatus, announceLanes } from '@stream-infer/bus/announcements';
import type { Bus } from '@stream-infer/bus/bus';
import type { FaultJson } from '@stream-infer/core/fault';
import { toldFault } from '@stream-infer/core/told-fault';
import type { Observed } from './lane-book.ts';
import type { LaneMetrics } from './metrics.ts';

type Lane = {
  readonly observed: Observed;
  publishedAtMs: number | undefined;
  lateMs: number | null;
  lastError: FaultJson | null;
};

const EVERY_MS = 1_000;

export class LaneStatusReport {
  readonly #bus: Bus;
  readonly #place: { readonly stream: string; readonly run: string };
  readonly #lanes: Lane[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(bus: Bus, { stream, run }: { readonly stream: string; readonly run: string }) {
    this.#bus = bus;
    this.#place = { stream, run };
    this.#timer = setInterval(() => this.#announce(), EVERY_MS);
  }

  /** Follows one algorithm; what is published is told on to its metrics. */
  follow(observed: Observed, metrics: LaneMetrics): LaneMetrics {
    const lane: Lane = { observed, publishedAtMs: undefined, lateMs: null, lastError: null };
    this.#lanes.push(lane);
    return {
      ...metrics,
      published: (latencyMs, lateMs, error) => {
        lane.publishedAtMs = performance.now();
        lane.lateMs = lateMs;
        // What an algorithm throws may be long: its results have the whole of it.
        if (error) lane.lastError = toldFault(error);
        metrics.published(latencyMs, lateMs, error);
      },
    };
  }

  /** Announces the last figures. Idempotent. */
  close(): void {
    clearInterval(this.#timer);
    this.#announce();
    this.#lanes.length = 0;
  }

  #announce(): void {
    if (this.#lanes.length === 0) return;
    const nowMs = performance.now();
    announceLanes(this.#bus, {
      ...this.#place,
      algorithms: Object.fromEntries(this.#lanes.map((lane) => [lane.observed.algorithm.name, statusOf(lane, nowMs)])),
    });
  }
}

const statusOf = ({ observed, publishedAtMs, lateMs, lastError }: Lane, nowMs: number): AlgorithmStatus => ({
  ...observed.ledger.totals,
  triggered: observed.ledger.triggered,
  lastResultAgeMs: publishedAtMs === undefined ? null : Math.round(nowMs - publishedAtMs),
  lateMs,
  lastError,
});
