/**
 * The live feed of one client as server-sent events. A client is a position in the store: what is behind it is read from there,
 * page by page, whether it happened long ago or just now. So there is no seam between replay and live at which an event could be missed
 * or come twice, and a slow client costs one page, whatever it has yet to read.
 */

import { setImmediate } from 'node:timers/promises';
import type { EventFeed } from './event-feed.ts';
import type { EventRow, Page, ResultQueries } from './result-queries.ts';
import { EVENT_PAGE_ROWS, type SharedEvents } from './shared-events.ts';
import { isStoreAbsence } from './store-absence.ts';

export type EventStreamOptions = {
  /** The client has everything up to this position. */
  readonly after: number;
  readonly stream?: string;
  readonly algorithm?: string;
  readonly heartbeatMs: number;
  readonly signal: AbortSignal;
};

/** How long a client waits before it comes again, in milliseconds. */
const RETRY = 'retry: 1000\n\n';
/** How often a store that is away is asked again. */
const ABSENT_MS = 1_000;
const HEARTBEAT = ': still here\n\n';

export type EventSources = {
  readonly store: Pick<ResultQueries, 'events'>;
  readonly feed: EventFeed;
  readonly shared: SharedEvents;
};

/** Chunks of the event stream, until the signal aborts. */
export async function* eventStream(
  { store, feed, shared }: EventSources,
  { after, heartbeatMs, signal, ...filter }: EventStreamOptions,
): AsyncGenerator<string, void, void> {
  let position = after;
  // Whoever has all that there was reads what is new together with the others.
  let live = false;
  const read = (): Promise<Page<EventRow>> =>
    live ? shared.after(position) : store.events({ ...filter, after: position, limit: EVENT_PAGE_ROWS });
  yield RETRY;
  while (!signal.aborted) {
    const version = feed.version();
    const page = await read().catch(absent);
    if (page === undefined) {
      // The client has missed nothing yet, and stays: what it is behind is told when the store is back.
      await feed.changed(version, Math.min(heartbeatMs, ABSENT_MS), signal);
      yield HEARTBEAT;
      continue;
    }
    const { rows, last } = page;
    const text = rows
      .filter((row) => passes(row, filter))
      .map(eventText)
      .join('');
    position = rows.at(-1)?.position ?? position;
    live = last;
    if (text !== '') yield text;
    if (!last) {
      // A filter may leave nothing of many pages.
      await setImmediate();
      continue;
    }
    await feed.changed(version, heartbeatMs, signal);
    if (feed.version() === version && !signal.aborted) yield HEARTBEAT;
  }
}

/** Ends pass every filter for an algorithm. */
const passes = (row: EventRow, { stream, algorithm }: Pick<EventStreamOptions, 'stream' | 'algorithm'>): boolean =>
  (stream === undefined || row.stream === stream) &&
  (algorithm === undefined || row.kind === 'end' || row.algorithm === algorithm);

/** The same chunks; calls `onStalled` when one of them is not taken within the time. */
export async function* takenWithin<Chunk>(
  chunks: AsyncIterable<Chunk>,
  limitMs: number,
  onStalled: () => void,
): AsyncGenerator<Chunk, void, void> {
  for await (const chunk of chunks) {
    const timer = setTimeout(onStalled, limitMs);
    try {
      yield chunk;
    } finally {
      clearTimeout(timer);
    }
  }
}

const absent = (error: unknown): undefined => {
  if (!isStoreAbsence(error)) throw error;
};

const eventText = ({ position, kind, text }: EventRow): string =>
  text === null ? '' : `id: ${position}\nevent: ${kind}\ndata: ${text}\n\n`;
