/** The collector's API, as much of it as a run needs. */

import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { Fault, toFault } from '@stream-infer/core/fault';
import type { ResultRecord, RunEnd } from '@stream-infer/core/result-record';

export type CollectorClient = {
  /** Resolves when this run of the stream is complete and all of its results are stored; rejects when the signal aborts. */
  runEnd(stream: string, run: string, signal: AbortSignal): Promise<RunEnd>;
  /** The data of a stream by algorithm and time key: canonical JSON as bytes, because parsing would lose the order of its keys. */
  results(stream: string): Promise<Readable>;
  /** Whole records, one a line, ascending by n and algorithm. */
  recordLines(stream: string): Promise<Readable>;
  /** The same, parsed one by one. */
  records(stream: string): AsyncGenerator<ResultRecord, void, void>;
};

const FIRST_POLL_MS = 20;
const LAST_POLL_MS = 250;

/** @param url such as http://127.0.0.1:8080. Rejections are STORE_FAILED. */
export function collectorClient(url: string): CollectorClient {
  const get = async (path: string, accept: string, signal?: AbortSignal): Promise<Response | undefined> => {
    const response = await fetch(`${url}${path}`, { headers: { accept }, ...(signal && { signal }) });
    if (response.ok) return response;
    await response.body?.cancel();
    if (response.status === 404) return undefined;
    throw new Fault('STORE_FAILED', `the collector answers ${response.status} to ${path}`);
  };
  const path = (stream: string, rest = ''): string => `/v1/streams/${encodeURIComponent(stream)}${rest}`;
  const body = async (stream: string, rest: string, accept: string, empty: string): Promise<Readable> => {
    const response = await get(path(stream, rest), accept).catch((error: unknown) => {
      throw toFault(error, 'STORE_FAILED', 'the results cannot be read');
    });
    return response?.body ? Readable.fromWeb(response.body) : Readable.from([empty]);
  };
  const recordLines = (stream: string): Promise<Readable> => body(stream, '/records', 'application/x-ndjson', '');
  return {
    async runEnd(stream, run, signal) {
      for (let pauseMs = FIRST_POLL_MS; ; pauseMs = Math.min(pauseMs * 2, LAST_POLL_MS)) {
        const response = await get(path(stream), 'application/json', signal);
        const newest = response && ((await response.json()) as { readonly run: string; readonly end: RunEnd | null });
        if (newest?.end && newest.run === run) return newest.end;
        await wait(pauseMs, undefined, { signal });
      }
    },
    results: (stream) => body(stream, '/results', 'application/json', '{}'),
    recordLines,
    async *records(stream) {
      const lines = createInterface({ input: await recordLines(stream), crlfDelay: Number.POSITIVE_INFINITY });
      for await (const line of lines) if (line !== '') yield JSON.parse(line) as ResultRecord;
    },
  };
}
