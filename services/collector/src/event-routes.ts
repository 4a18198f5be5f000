/** The live feed: results and ends of runs as server-sent events, resumable with Last-Event-ID. */

import type { Logger } from '@stream-infer/service-kit/logger';
import type { FastifyInstance } from 'fastify';
import { BAD_REQUEST, query } from './api-schemas.ts';
import type { ApiTokens } from './api-tokens.ts';
import type { EventFeed } from './event-feed.ts';
import { eventStream, takenWithin } from './event-stream.ts';
import type { CollectorMetrics } from './metrics.ts';
import type { ResultStore } from './result-store.ts';
import { createSharedEvents } from './shared-events.ts';
import { sendText } from './text-answer.ts';

export type EventRouteOptions = {
  readonly store: ResultStore;
  readonly feed: EventFeed;
  readonly metrics: CollectorMetrics;
  readonly logger: Logger;
  /** Ends every event stream. */
  readonly signal: AbortSignal;
  readonly tokens: ApiTokens | undefined;
};

type EventQuerystring = { readonly stream?: string; readonly algorithm?: string; readonly after?: number };
type EventHeaders = { readonly 'last-event-id'?: number };

const HEARTBEAT_MS = 5_000;
/** A client that takes nothing for so long is disconnected; it comes again, and misses nothing. */
const STALLED_MS = 15_000;

export function eventRoutes(
  app: FastifyInstance,
  { store, feed, metrics, logger, signal, tokens }: EventRouteOptions,
): void {
  const shared = createSharedEvents(store, feed);
  app.get<{ Querystring: EventQuerystring; Headers: EventHeaders }>(
    '/v1/events',
    {
      schema: {
        operationId: 'getEvents',
        summary: 'Results and ends of runs as they are stored',
        description:
          'Server-sent events: `result` with a ResultRecord, `end` with a RunEnd, which an algorithm does not filter. An id is a place in the order of storing; a client that comes again with Last-Event-ID misses nothing and gets nothing twice. Comments come while nothing happens.',
        querystring: query(['stream', 'algorithm', 'after']),
        headers: {
          type: 'object',
          properties: {
            'last-event-id': {
              type: 'integer',
              minimum: 0,
              description: 'Begin behind this event; goes before `after`.',
            },
          },
        },
        response: {
          200: {
            description: 'The events.',
            content: { 'text/event-stream': { schema: { type: 'string' } } },
          },
          ...BAD_REQUEST,
        },
      },
    },
    async ({ query: { after, ...filter }, headers, holder }, reply) => {
      const closed = new AbortController();
      const valid = holder && tokens ? [tokens.validity(holder)] : [];
      // Before anything is waited for: the client may go meanwhile, and its token may be withdrawn.
      metrics.eventClients.inc();
      reply.raw.once('close', () => {
        closed.abort();
        metrics.eventClients.dec();
      });
      const { position } = await store.progress();
      const wanted = headers['last-event-id'] ?? after ?? position;
      // An id that is yet to come is of another store: nothing of this one has been seen.
      const begin = wanted > position ? 0 : wanted;
      const events = eventStream(
        { store, feed, shared },
        {
          ...filter,
          after: begin,
          heartbeatMs: HEARTBEAT_MS,
          signal: AbortSignal.any([closed.signal, signal, ...valid]),
        },
      );
      const watched = takenWithin(events, STALLED_MS, () => {
        metrics.droppedEventClients.inc();
        reply.raw.destroy();
      });
      void reply.headers({ 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
      return sendText(reply, 'text/event-stream', watched, logger);
    },
  );
}
