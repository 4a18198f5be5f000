/** The collector's API, as much of it as a run needs. */

import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { Fault, toFault } from '@stream-infer/core/fault';
import type { ResultRecord, RunEnd } from '@stream-infer/core/result-record';
import { get } from '../http-get.ts';
import { bearer } from '../streams/streams-client.ts';
import { type FeedEvent, openFeed } from './collector-feed.ts';

export type CollectorClient = {
  /** Resolves when this run of the stream is complete and all of its results are stored; rejects when the signal aborts. */
  runEnd(stream: string, run: string, signal: AbortSignal): Promise<RunEnd>;
  /** The data of a run by algorithm and time key: canonical JSON as bytes, because parsing would lose the order of its keys. */
  results(place: RunPlace): Promise<Readable>;
  /** Whole records of a run, one a line, ascending by n and algorithm. */
  recordLines(place: RunPlace): Promise<Readable>;
  /** The same, parsed one by one. */
  records(place: RunPlace): AsyncGenerator<ResultRecord, void, void>;
  /** What is stored from now on, in the order of storing, until the signal aborts. Resolves once nothing can be missed. */
  events(signal: AbortSignal): Promise<AsyncGenerator<FeedEvent, void, void>>;
};

/** A store that stays has earlier runs of the stream too: what is read is of this one. Without a run nothing was played. */
export type RunPlace = { readonly stream: string; readonly run: string | undefined };

type NewestRun = { readonly run: string; readonly end: RunEnd | null };

const FIRST_POLL_MS = 20;
const LAST_POLL_MS = 250;

/**
 * @param url such as http://127.0.0.1:8080
 * @param token where the API needs one. Rejections are STORE_FAILED.
 */
export function collectorClient(url: string, token?: string): CollectorClient {
  const read = async (path: string, accept: string, signal?: AbortSignal): Promise<Readable | undefined> => {
    const headers = { accept, ...bearer(token) };
    const { status, body } = await get(new URL(`${url}${path}`), { headers, ...(signal && { signal }) });
    if (status === 200) return body;
    body.destroy();
    if (status === 404) return undefined;
    throw new Fault('STORE_FAILED', `the collector answers ${status} to ${path}`);
  };
  const path = (stream: string, rest = ''): string => `/v1/streams/${encodeURIComponent(stream)}${rest}`;
  type Part = { readonly rest: string; readonly accept: string; readonly empty: string };
  const body = async ({ stream, run }: RunPlace, { rest, accept, empty }: Part): Promise<Readable> => {
    if (run === undefined) return Readable.from([empty]);
    const answer = await read(`${path(stream, rest)}?run=${encodeURIComponent(run)}`, accept).catch(
      (error: unknown) => {
        throw toFault(error, 'STORE_FAILED', 'the results cannot be read');
      },
    );
    return answer ?? Readable.from([empty]);
  };
  const recordLines = (place: RunPlace): Promise<Readable> =>
    body(place, { rest: '/records', accept: 'application/x-ndjson', empty: '' });
  /** Undefined where there is none, or the collector is away: it is started again. */
  const newestRun = async (stream: string, signal: AbortSignal): Promise<NewestRun | undefined> => {
    try {
      const answer = await read(path(stream), 'application/json', signal);
      return answer && ((await json(answer)) as NewestRun);
    } catch (error) {
      if (error instanceof Fault || signal.aborted) throw error;
      return undefined;
    }
  };
  return {
    events: (signal) => openFeed({ url, token }, signal),
    async runEnd(stream, run, signal) {
      for (let pauseMs = FIRST_POLL_MS; ; pauseMs = Math.min(pauseMs * 2, LAST_POLL_MS)) {
        const newest = await newestRun(stream, signal);
        if (newest?.end && newest.run === run) return newest.end;
        await wait(pauseMs, undefined, { signal });
      }
    },
    results: (place) => body(place, { rest: '/results', accept: 'application/json', empty: '{}' }),
    recordLines,
    async *records(place) {
      const lines = createInterface({ input: await recordLines(place), crlfDelay: Number.POSITIVE_INFINITY });
      for await (const line of lines) if (line !== '') yield JSON.parse(line) as ResultRecord;
    },
  };
}
