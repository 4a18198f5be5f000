/**
 * The live feed of one client as server-sent events. A client is a position in the store: what is behind it is read from there,
 * page by page, whether it happened long ago or just now. So there is no seam between replay and live at which an event could be missed
 * or come twice, and a slow client costs one page, whatever it has yet to read.
 */

import { setImmediate } from 'node:timers/promises';
import type { EventFeed } from './event-feed.ts';
import type { EventRow, ResultQueries } from './result-queries.ts';
import { isStoreAbsence } from './store-absence.ts';

export type EventStreamOptions = {
  /** The client has everything up to this position. */
  readonly after: number;
  readonly stream?: string;
  readonly algorithm?: string;
  readonly heartbeatMs: number;
  readonly signal: AbortSignal;
};

const PAGE_ROWS = 500;
/** How long a client waits before it comes again, in milliseconds. */
const RETRY = 'retry: 1000\n\n';
/** How often a store that is away is asked again. */
const ABSENT_MS = 1_000;
const HEARTBEAT = ': still here\n\n';

/** Chunks of the event stream, until the signal aborts. */
export async function* eventStream(
  store: ResultQueries,
  feed: EventFeed,
  { after, heartbeatMs, signal, ...filter }: EventStreamOptions,
): AsyncGenerator<string, void, void> {
  let position = after;
  yield RETRY;
  while (!signal.aborted) {
    const version = feed.version();
    const page = await store.events({ ...filter, after: position, limit: PAGE_ROWS }).catch(absent);
    if (page === undefined) {
      // The client has missed nothing yet, and stays: what it is behind is told when the store is back.
      await feed.changed(version, Math.min(heartbeatMs, ABSENT_MS), signal);
      yield HEARTBEAT;
      continue;
    }
    const { rows, last } = page;
    const text = rows.map(eventText).join('');
    position = rows.at(-1)?.position ?? position;
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
