/**
 * Wakes the live feed of a collector that stands by. Its own consumer says that there is something new; once the collector that stores has
 * committed it, clients here read it from the store. So every collector tells the same events under the same ids, and a client may
 * come back to any of them.
 */

import { setTimeout } from 'node:timers/promises';
import type { Bus } from '@stream-infer/bus/bus';
import { followResultArrivals, type ResultArrivals } from '@stream-infer/bus/result-arrivals';
import type { EventFeed } from './event-feed.ts';
import type { ResultQueries, StoreExtent } from './result-queries.ts';
import { isStoreAbsence } from './store-absence.ts';

export type LiveFollowerOptions = {
  readonly bus: Bus;
  readonly store: Pick<ResultQueries, 'progress'>;
  readonly feed: EventFeed;
  /** Whether this collector stores, and so tells of each commit itself. */
  readonly isStoring: () => boolean;
  readonly signal: AbortSignal;
};

export type LiveFollower = {
  /** Whether news of results come. */
  following(): boolean;
  readonly done: Promise<unknown>;
};

/** How soon a client hears of what is committed; a look is one short statement, and only while something is on its way. */
const LOOK_MS = 25;
/** While nothing is committed of what has come. */
const MOST_LOOK_MS = 500;

export function startLiveFollower(options: LiveFollowerOptions): LiveFollower {
  const arrivals = followResultArrivals(options.bus, options.signal);
  return { following: arrivals.following, done: Promise.all([arrivals.done, wakeClients(options, arrivals)]) };
}

async function wakeClients(
  { store, feed, isStoring, signal }: LiveFollowerOptions,
  arrivals: ResultArrivals,
): Promise<void> {
  let known: StoreExtent = { sequence: 0, position: 0 };
  let begun = 0;
  let waitMs = LOOK_MS;
  while (!signal.aborted) {
    await setTimeout(waitMs, undefined, { signal }).catch(() => undefined);
    if (arrivals.begun() !== begun) {
      // It may be another RESULTS, whose sequences begin again.
      begun = arrivals.begun();
      known = { ...known, sequence: 0 };
    }
    if (isStoring() || !feed.isAwaited() || arrivals.newest() <= known.sequence) {
      waitMs = LOOK_MS;
      continue;
    }
    const progress = await store.progress().catch((error: unknown) => {
      if (!isStoreAbsence(error)) throw error;
    });
    const moved = progress !== undefined && progress.position > known.position;
    waitMs = moved ? LOOK_MS : Math.min(2 * waitMs, MOST_LOOK_MS);
    known = progress ?? known;
    if (moved) feed.notify();
  }
}
