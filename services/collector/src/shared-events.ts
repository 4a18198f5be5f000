/**
 * What has just been committed, read once for all clients that wait for it: they are woken together and stand at the same position, so that
 * what the store is asked does not grow with their number. Filters are applied behind it.
 */

import type { EventFeed } from './event-feed.ts';
import type { EventRow, Page, ResultQueries } from './result-queries.ts';

export type SharedEvents = {
  /** Everything behind a position, of all streams. Rejects as the store does. */
  after(position: number): Promise<Page<EventRow>>;
};

export const EVENT_PAGE_ROWS = 500;
/** Who asks again without having been woken gets news that the feed may not know of. */
const KEPT_MS = 500;

type Kept = { readonly page: Promise<Page<EventRow>>; readonly readAtMs: number };

export function createSharedEvents(
  store: Pick<ResultQueries, 'events'>,
  feed: Pick<EventFeed, 'version'>,
): SharedEvents {
  const pages = new Map<number, Kept>();
  let version = feed.version();
  return {
    after(position) {
      if (feed.version() !== version) pages.clear();
      version = feed.version();
      const nowMs = performance.now();
      const kept = pages.get(position);
      if (kept !== undefined && nowMs - kept.readAtMs < KEPT_MS) return kept.page;
      const page = store.events({ after: position, limit: EVENT_PAGE_ROWS });
      pages.set(position, { page, readAtMs: nowMs });
      page.catch(() => pages.delete(position));
      return page;
    },
  };
}
