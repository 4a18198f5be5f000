/** The four services as processes, and streams that are added and removed by the dozen while others play. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { openAssignments, openRuns } from '@stream-infer/bus/registry';
import { bucketStream } from '@stream-infer/bus/topology';
import type { StreamReport } from '@stream-infer/core/stream-report';
import { busHeap } from './bus-heap.ts';
import { startCollector, type TestCollector } from './collector.ts';
import { eventually } from './eventually.ts';
import type { GoHeap } from './go-heap.ts';
import { startNatsServer } from './nats-server.ts';
import { descendants } from './process-tree.ts';
import { type ServiceName, type ServiceProcess, startService } from './service-process.ts';

const INTERVAL_SECONDS = 0.5;
export const CAMERA = { source: 'lavfi:testsrc=size=32x32:rate=10', pixelFormat: 'gray' };

/** Markers stand for two minutes, what is stored of a run for one beyond it. */
const FORGOTTEN_MS = 240_000;
const LOOK_MS = 500;

/** What is there for streams: their buffers by stream, the consumers of these, their ffmpegs. */
export type Held = {
  readonly buffers: readonly string[];
  readonly consumers: number;
  readonly ffmpegs: number;
  /** Of all that JetStream has. */
  readonly allConsumers: number;
};

export type ChurnWorld = {
  readonly collector: TestCollector;
  service(name: ServiceName): ServiceProcess;
  /** Of nats-server. */
  readonly busPid: number;
  /** What lives in nats-server. */
  busHeap(): Promise<GoHeap>;
  /** Puts another in its place. */
  restart(name: Exclude<ServiceName, 'collector'>): Promise<void>;
  put(id: string, definition?: object): Promise<Response>;
  remove(id: string): Promise<Response>;
  report(id: string): Promise<StreamReport>;
  held(): Promise<Held>;
  /** What the registry has of runs, and of the schedulers that follow them. */
  registered(): Promise<readonly string[]>;
  /** Subjects on which something stands in RESULTS. */
  results(): Promise<readonly string[]>;
  /** Resolves when the bus has forgotten, with its markers of deleted keys, all streams but so many; these have results. */
  forgotten(playing: number): Promise<unknown>;
  /** Adds streams, waits until they play, and removes them, all at once; resolves when nothing is left but what these have. */
  churn(ids: readonly string[], playing: readonly string[]): Promise<Held>;
  /** Results of a stream that are missing, less those whose fate is counted: 0, or less where some were dropped before its first. */
  missing(id: string): Promise<number>;
  stop(): Promise<void>;
};

/** @param more of the services' environment. */
export async function startChurnWorld(more: Readonly<Record<string, string>> = {}): Promise<ChurnWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'stream-infer-churn-'));
  const file = join(directory, 'installation.yaml');
  await writeFile(file, `algorithms:\n  - {name: stats, use: frame-stats, interval: ${INTERVAL_SECONDS}}\n`);
  const nats = await startNatsServer({ profiled: true });
  const place = { NATS_URL: nats.url, STREAM_INFER_CONFIG: file, STORE_PATH: join(directory, 'results.sqlite') };
  const environment = { ...place, ...more };
  const collector = await startCollector(environment);
  const services = new Map<ServiceName, ServiceProcess>([['collector', collector]]);
  for (const name of ['algo-runner', 'scheduler', 'ingest'] as const)
    services.set(name, await startService(name, environment));
  const bus: Bus = await connectBus({ url: nats.url, prefix: 'stream-infer', name: 'churn-test' });
  const service = (name: ServiceName): ServiceProcess => {
    const found = services.get(name);
    if (found === undefined) throw new Error(`no ${name}`);
    return found;
  };
  const world: ChurnWorld = {
    collector,
    service,
    busPid: nats.pid,
    busHeap: () => busHeap(nats, bus),
    async restart(name) {
      services.set(name, await startService(name, environment));
    },
    put: (id, definition = CAMERA) =>
      fetch(`${collector.addresses.api}/v1/streams/${id}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(definition),
      }),
    remove: (id) => fetch(`${collector.addresses.api}/v1/streams/${id}`, { method: 'DELETE' }),
    report: (id) => collector.get<StreamReport>(`/v1/streams/${id}`),
    async held() {
      const streams = await bus.manager.streams.list().next();
      const buffers = streams.filter(({ config }) => config.name.includes('FRAMES_'));
      const consumersOf = (some: typeof streams): number =>
        some.reduce((sum, { state }) => sum + state.consumer_count, 0);
      const processes = await descendants(service('ingest').process.pid ?? 0);
      return {
        buffers: buffers.map(({ config }) => bus.topology.streamOfFrames(config.name) ?? '').sort(),
        consumers: consumersOf(buffers),
        allConsumers: consumersOf(streams),
        ffmpegs: processes.filter(({ command }) => command === 'ffmpeg').length,
      };
    },
    async registered() {
      const [runs, assignments] = await Promise.all([openRuns(bus), openAssignments(bus)]);
      return [...(await runs.entries()), ...(await assignments.entries())].map(({ key }) => key);
    },
    async results() {
      const { state } = await bus.manager.streams.info(bus.topology.resultsStream, { subjects_filter: '>' });
      return Object.keys(state.subjects ?? {});
    },
    forgotten: (playing) =>
      eventually(
        'the bus has forgotten what was removed',
        async () => {
          const { runs, assignments, streams } = bus.topology.buckets;
          const keys = await Promise.all(
            [runs, assignments, streams].map((name) => bus.manager.streams.info(bucketStream(name))),
          );
          const standing = [...keys.map(({ state }) => state.messages), (await world.results()).length];
          return standing.every((count) => count === playing) || sleep(LOOK_MS, false);
        },
        FORGOTTEN_MS,
      ),
    async churn(ids, playing) {
      await Promise.all(
        ids.map(async (id) => {
          expectStatus(await world.put(id), 201);
          await eventually(`${id} plays`, async () => (await world.report(id)).source?.state === 'playing');
          expectStatus(await world.remove(id), 204);
        }),
      );
      return eventually('nothing is left of what was removed', async () => {
        const now = await world.held();
        const counts = [now.buffers.length, now.consumers, now.ffmpegs];
        return counts.every((count) => count === playing.length) && now;
      });
    },
    async missing(id) {
      const { stats } = await collector.get<{ stats: Record<string, object> }>(`/v1/streams/${id}/results`);
      const keys = Object.keys(stats).map(Number);
      const due = Math.round(((keys.at(-1) ?? 0) - (keys[0] ?? 0)) / INTERVAL_SECONDS) + 1;
      const dropped = Object.values((await world.report(id)).algorithms.stats?.dropped ?? {});
      return due - keys.length - dropped.reduce((sum, count) => sum + count, 0);
    },
    async stop() {
      await Promise.all([...services.values()].map((one) => one.stop()));
      await bus.close();
      await nats.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
  return world;
}

function expectStatus({ status, url }: Response, expected: number): void {
  if (status !== expected) throw new Error(`${url} answered ${status} and not ${expected}`);
}
