/**
 * Several ingests and schedulers on one bus, each a process of its own, and everything that they publish, with the time at which it came:
 * for tests of what one of them takes over from another.
 */

import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Entry } from '@stream-infer/bus/bucket';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { fetchFrame } from '@stream-infer/bus/frame-fetcher';
import { openAssignments, openRuns, openStreams, type Role } from '@stream-infer/bus/registry';
import { ensureResultStream } from '@stream-infer/bus/result-stream';
import type { ResultRecord, RunEnd } from '@stream-infer/core/result-record';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import type { Invocation } from '@stream-infer/proto/stream_infer/v1/invocation';
import { streamSpec } from './decoded-source.ts';
import { eventually } from './eventually.ts';
import { startNatsServer } from './nats-server.ts';
import { type Outcome, startRunner } from './scripted-runner.ts';
import { type ServiceName, type ServiceProcess, startService } from './service-process.ts';

const PREFIX = 'team';
const RESULTS_BYTES = 1 << 26;
const CONTENT_MS = 50;

export type Arrival = { readonly atMs: number; readonly record: ResultRecord };

export type Shares = Readonly<Record<string, number>>;

export type DifferentService = {
  readonly entry?: string | undefined;
  readonly environment?: Readonly<Record<string, string>>;
};

export type TakeoverTeam = {
  readonly bus: Bus;
  /** Of its server. */
  readonly url: string;
  /** Every record that RESULTS has taken, in its order. */
  readonly arrivals: readonly Arrival[];
  readonly ends: readonly RunEnd[];
  /**
   * One more; its id is its name here. Stopped with the team.
   *
   * @param url that it reaches the server at, where that is another.
   * @param different its program, where that is of another version, and more of its environment.
   */
  start(service: ServiceName, id: string, url?: string, different?: DifferentService): Promise<ServiceProcess>;
  play(id: string, source: string, different?: Partial<StreamSpec>): Promise<void>;
  remove(id: string): Promise<void>;
  /** How many streams each ingest, or scheduler, has; of those that are played or followed. */
  shares(role: Role): Promise<Shares>;
  /** Waits until every stream of these has a result that came after `afterMs`. */
  untilAnswered(ids: readonly string[], afterMs: number): Promise<void>;
  /** The longest time without a result that began after `afterMs`, of the stream where it is the longest. */
  longestGapMs(ids: readonly string[], afterMs: number): number;
  /** The only number of this metric that the process tells. */
  metric(service: ServiceProcess, name: string): Promise<number>;
  stop(): Promise<void>;
};

/** @param isScripted whether there is a runner that a script plays; else the test starts runners of its own. */
export async function startTakeoverTeam({ isScripted = true } = {}): Promise<TakeoverTeam> {
  const server = await startNatsServer();
  const bus = await connectBus({ url: server.url, prefix: PREFIX, name: 'takeover-test' });
  const [streams, runs, assignments] = await Promise.all([openStreams(bus), openRuns(bus), openAssignments(bus)]);
  const runner = isScripted ? await scriptedRunner(bus) : undefined;
  const services: ServiceProcess[] = [];
  const arrivals: Arrival[] = [];
  const ends: RunEnd[] = [];
  await ensureResultStream(bus, { maxBytes: RESULTS_BYTES });
  // A consumer of its own: what the collector reads, where there is one, it reads too.
  const messages = await (await bus.jetstream.consumers.get(bus.topology.resultsStream)).consume();
  const reading = (async () => {
    for await (const { subject, data } of messages) {
      const value: unknown = JSON.parse(new TextDecoder().decode(data));
      if (bus.topology.isEndSubject(subject)) ends.push(value as RunEnd);
      else arrivals.push({ atMs: performance.now(), record: value as ResultRecord });
    }
  })();
  const timesOf = (id: string): number[] =>
    arrivals.filter(({ record }) => record.stream === id).map(({ atMs }) => atMs);
  return {
    bus,
    url: server.url,
    arrivals,
    ends,
    async start(name, id, url = server.url, { entry, environment } = {}) {
      const place = { NATS_URL: url, NATS_PREFIX: PREFIX, INSTANCE_ID: id };
      const service = await startService(name, { ...place, ...environment }, entry);
      services.push(service);
      return service;
    },
    play: async (id, source, different = {}) => void (await streams.put(id, streamSpec(source, { id, ...different }))),
    remove: async (id) => void (await streams.delete(id)),
    async shares(role) {
      const entries: readonly Entry<{ readonly owner: string }>[] =
        role === 'scheduler'
          ? await assignments.entries()
          : (await runs.entries()).filter(({ value }) => value.state.kind === 'playing');
      const counts: Record<string, number> = {};
      for (const { value } of entries) counts[value.owner] = (counts[value.owner] ?? 0) + 1;
      return counts;
    },
    async untilAnswered(ids, afterMs) {
      for (const id of ids)
        await eventually(`a result of ${id}`, () => timesOf(id).some((atMs) => atMs > afterMs), 60_000);
    },
    longestGapMs(ids, afterMs) {
      const gaps = ids.map((id) => {
        const times = timesOf(id);
        return Math.max(0, ...times.map((atMs, at) => (atMs > afterMs ? atMs - (times[at - 1] ?? atMs) : 0)));
      });
      return Math.max(...gaps);
    },
    async metric(service, name) {
      const text = await (await fetch(`${service.addresses.http}/metrics`)).text();
      return Number(new RegExp(`^${name}(?:{[^}]*})? (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
    },
    async stop() {
      for (const { process: child } of services) child.kill('SIGCONT');
      await Promise.all(services.map((service) => service.stop()));
      await runner?.close();
      await messages.close();
      await reading;
      await bus.close();
      await server.stop();
    },
  };
}

const scriptedRunner = (bus: Bus) =>
  startRunner(bus, {
    id: 'runner',
    definitions: ['a', 'content'],
    concurrency: 32,
    answer: (invocation) =>
      invocation.definition === 'a' ? { data: { n: invocation.n } } : readContent(bus, invocation),
  });

/** Takes its time, and answers what depends on every pixel of the window. */
async function readContent(bus: Bus, { run, window }: Invocation): Promise<Outcome> {
  await sleep(CONTENT_MS);
  const hash = createHash('sha256');
  for (const { n, content } of window?.frames ?? []) {
    if (content?.$case !== 'reference') throw new Error('no reference');
    const frame = await fetchFrame(bus, content.value.jetstream, content.value.sequence).catch(() => undefined);
    if (frame === undefined) return { code: 'FRAME_GONE' };
    if (frame.header.n !== n || frame.header.run !== run) return { code: 'FRAME_MISMATCH' };
    hash.update(frame.data);
  }
  return { data: { sha256: hash.digest('hex') } };
}

/** Records that do not come after the one before them of their stream, run and algorithm: twice, or interleaved (EX-6). */
export function outOfOrder(arrivals: readonly Arrival[]): readonly string[] {
  const newest = new Map<string, number>();
  const found: string[] = [];
  for (const { record } of arrivals) {
    const series = `${record.stream}/${record.run}/${record.algorithm}`;
    if (record.n <= (newest.get(series) ?? 0)) found.push(`${series}/${record.n}`);
    newest.set(series, record.n);
  }
  return found;
}

/** Sends SIGKILL and waits until the process is gone. */
export async function killed({ process: child }: ServiceProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}
