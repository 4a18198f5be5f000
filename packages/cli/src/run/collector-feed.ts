/** The collector's live feed: records and ends of runs in the order of storing, none missed and none twice, though the connection break. */

import { setTimeout as wait } from 'node:timers/promises';
import { Fault } from '@stream-infer/core/fault';
import type { RunEnd } from '@stream-infer/core/result-record';
import { get } from '../http-get.ts';
import { bearer } from '../streams/streams-client.ts';
import { type ServerEvent, serverEvents } from './server-events.ts';

/** A record as the line that NDJSON has of it, or that a run of the stream is complete. */
export type FeedEvent =
  | { readonly kind: 'result'; readonly text: string }
  | { readonly kind: 'end'; readonly stream: string };

export type FeedPlace = { readonly url: string; readonly token: string | undefined };

type Body = AsyncIterable<Uint8Array>;

const RECONNECT_MS = 1_000;

/**
 * What is stored from now on, until the signal aborts. Resolves once nothing can be missed.
 * Rejects, and what it resolves to throws, with STORE_FAILED.
 */
export async function openFeed(place: FeedPlace, signal: AbortSignal): Promise<AsyncGenerator<FeedEvent, void, void>> {
  return follow(place, await connect(place, signal), signal);
}

async function connect({ url, token }: FeedPlace, signal: AbortSignal, after?: string): Promise<Body> {
  const headers = {
    accept: 'text/event-stream',
    ...bearer(token),
    ...(after !== undefined && { 'last-event-id': after }),
  };
  const { status, body } = await get(new URL(`${url}/v1/events`), { headers, signal });
  if (status === 200) return body;
  body.destroy();
  throw new Fault('STORE_FAILED', `the collector answers ${status} to /v1/events`);
}

async function* follow(place: FeedPlace, opened: Body, signal: AbortSignal): AsyncGenerator<FeedEvent, void, void> {
  let last: string | undefined;
  for (let body: Body | undefined = opened; !signal.aborted; ) {
    try {
      body ??= await connect(place, signal, last);
      for await (const event of serverEvents(body)) {
        last = event.id;
        yield* feedEvents(event);
      }
    } catch (error) {
      // A connection that breaks is none; an answer that is refused stays refused.
      if (error instanceof Fault) throw error;
    }
    body = undefined;
    await wait(RECONNECT_MS, undefined, { signal }).catch(() => undefined);
  }
}

function* feedEvents({ event, data }: ServerEvent): Generator<FeedEvent, void, void> {
  if (event === 'result') yield { kind: 'result', text: data };
  else if (event === 'end') yield { kind: 'end', stream: (JSON.parse(data) as RunEnd).stream };
}
