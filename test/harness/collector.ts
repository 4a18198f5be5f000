/** A collector with a store of its own, results for it, and a client of its events. */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bus } from '@stream-infer/bus/bus';
import { publishResult, publishRunEnd } from '@stream-infer/bus/result-stream';
import { canonicalJson } from '@stream-infer/core/canonical-json';
import { NO_TOTALS, type ResultRecord, type RunEnd } from '@stream-infer/core/result-record';
import { eventually } from './eventually.ts';
import { type ServiceProcess, startService } from './service-process.ts';

export type TestCollector = ServiceProcess & {
  /** Path of its API → what it answers; the status is asserted. */
  get<T>(path: string, status?: number): Promise<T>;
  text(path: string, headers?: Readonly<Record<string, string>>): Promise<string>;
  /** Value of a metric, of the sample that has all of these labels. */
  metric(name: string, ...labels: readonly string[]): Promise<number>;
  /** SIGKILL, and the wait for the end. */
  kill(): Promise<void>;
};

export async function startCollector(environment: Readonly<Record<string, string>>): Promise<TestCollector> {
  const service = await startService('collector', environment);
  const request = async (path: string, status: number, headers = {}): Promise<string> => {
    const response = await fetch(`${service.addresses.api}${path}`, { headers });
    const body = await response.text();
    if (response.status !== status) throw new Error(`${path} answered ${response.status}: ${body}`);
    return body;
  };
  return {
    ...service,
    get: async <T>(path: string, status = 200) => JSON.parse(await request(path, status)) as T,
    text: (path, headers) => request(path, 200, headers),
    async metric(name, ...labels) {
      const response = await fetch(`${service.addresses.http}/metrics`);
      const lines = (await response.text()).split('\n');
      const line = lines.find((each) => each.startsWith(`${name}{`) && labels.every((label) => each.includes(label)));
      return Number(line?.split(' ').at(-1) ?? 0);
    },
    async kill() {
      const exited = new Promise((resolve) => service.process.once('exit', resolve));
      service.process.kill('SIGKILL');
      await exited;
    },
  };
}

export type StoreFolder = { readonly path: string; remove(): Promise<void> };

export async function storeFolder(): Promise<StoreFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'stream-infer-test-store-'));
  return { path: join(folder, 'results.sqlite'), remove: () => rm(folder, { recursive: true, force: true }) };
}

export type Place = { readonly stream: string; readonly run: string; readonly algorithm: string };

/** A whole record at 10 frames per second. */
export const testRecord = (
  { stream, run, algorithm }: Place,
  n: number,
  outcome: Pick<ResultRecord, 'data' | 'error'> = { data: { n } },
): ResultRecord => ({
  stream,
  run,
  algorithm,
  n,
  key: String(n / 10),
  sourceIndex: n - 1,
  timestampMs: n * 100,
  capturedAtMs: null,
  ...outcome,
  attempts: 1,
  lateMs: null,
  stateReset: false,
  version: '1',
});

const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(canonicalJson(value));

/** Publishes records of one series as a scheduler does: each after the one before it. */
export function seriesPublisher(bus: Bus, place: Place): (...records: readonly ResultRecord[]) => Promise<number> {
  let last = 0;
  return async (...records) => {
    for (const record of records)
      last = await publishResult(bus, place, bytesOf(record), { after: last, totals: NO_TOTALS, token: 1 });
    return last;
  };
}

export function publishEnd(bus: Bus, stream: string, run: string, fault: RunEnd['fault'] = null): Promise<void> {
  const end: RunEnd = {
    stream,
    run,
    decoded: 10,
    played: 10,
    published: 10,
    lastPlayed: 10,
    algorithms: { faces: { triggered: 2, completed: 1, failed: 0, dropped: { stale: 1 } } },
    elapsedMs: 12.5,
    fault,
  };
  return publishRunEnd(bus, end, bytesOf(end));
}

export type StreamAnswer = {
  readonly id: string;
  readonly run: string;
  readonly state: string;
  readonly results: number;
  readonly errors: number;
  readonly end: RunEnd | null;
};

/** Waits until the newest run of the stream has ended in the store. */
export const ended = (collector: TestCollector, stream: string, limitMs?: number): Promise<StreamAnswer> =>
  eventually(
    `the end of ${stream} in the store`,
    async () => {
      const answer = await collector.get<StreamAnswer>(`/v1/streams/${stream}`);
      return answer.end !== null && answer;
    },
    limitMs,
  );

export type ServerEvent = { readonly id: number; readonly event: string; readonly data: ResultRecord | RunEnd };

export type EventClient = {
  /** All so far, in the order of their coming. */
  readonly events: readonly ServerEvent[];
  /** Comments so far. */
  comments(): number;
  /** Closes the connection. */
  close(): Promise<void>;
};

/** Listens to events until it is closed or the connection ends. Resolves when the server has answered. */
export async function listen(url: string, lastEventId?: number): Promise<EventClient> {
  const closing = new AbortController();
  const response = await fetch(url, {
    signal: closing.signal,
    headers: {
      accept: 'text/event-stream',
      ...(lastEventId !== undefined && { 'last-event-id': String(lastEventId) }),
    },
  });
  if (response.status !== 200 || response.body === null) throw new Error(`${url} answered ${response.status}`);
  const events: ServerEvent[] = [];
  let comments = 0;
  let text = '';
  const take = (block: string): void => {
    const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line] as const));
    const field = (name: string): string => (fields.get(name) ?? '').slice(name.length + 2);
    if (block.startsWith(':')) comments += 1;
    if (!fields.has('data')) return;
    events.push({ id: Number(field('id')), event: field('event'), data: JSON.parse(field('data')) });
  };
  const { body } = response;
  const reading = (async () => {
    for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
      const blocks = (text + chunk).split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) take(block);
    }
  })().catch(() => undefined);
  return {
    events,
    comments: () => comments,
    async close() {
      closing.abort();
      await reading;
    },
  };
}

/** Resident memory of a process in MiB: now, and the most it ever was. */
export async function residentMiB(pid: number | undefined): Promise<{ now: number; most: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const value = (key: string): number => Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
  return { now: value('VmRSS'), most: value('VmHWM') };
}
