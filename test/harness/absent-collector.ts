/** A collector that is away for a while under steady load: what it has stored and told when all is over. */

import { setTimeout as sleep } from 'node:timers/promises';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { ensureResultStream } from '@stream-infer/bus/result-stream';
import type { ResultRecord } from '@stream-infer/core/result-record';
import {
  ended,
  listen,
  publishEnd,
  type StreamAnswer,
  seriesPublisher,
  startCollector,
  storeFolder,
  type TestCollector,
  testRecord,
} from './collector.ts';
import { eventually } from './eventually.ts';
import { startNatsServer } from './nats-server.ts';

/** `SIGSTOP`: it stands still, and goes on. `SIGTERM`: it ends in order, and another is started. */
export type Absence = { readonly how: 'SIGSTOP' | 'SIGTERM'; readonly awayMs: number };

export type AfterAbsence = {
  /** Of each algorithm, in all and while the collector was away. */
  readonly published: number;
  readonly publishedMeanwhile: number;
  /** `n.algorithm` of each, in the order of the API's records. */
  readonly records: readonly string[];
  /** The same of the events from the first on, in their order, by algorithm. */
  readonly events: ReadonlyMap<string, readonly number[]>;
  readonly duplicates: number;
};

export const LOADED = ['cars', 'faces', 'people'] as const;
const EVERY_MS = 10;

export async function absentCollector({ how, awayMs }: Absence): Promise<AfterAbsence> {
  await using opened = new AsyncDisposableStack();
  const server = opened.adopt(await startNatsServer(), (each) => each.stop());
  const folder = opened.adopt(await storeFolder(), (each) => each.remove());
  const connected = await connectBus({ url: server.url, prefix: 'stream-infer', name: 'absent-collector' });
  const bus = opened.adopt(connected, (each) => each.close());
  await ensureResultStream(bus, { maxBytes: 1 << 28 });
  const start = async (): Promise<TestCollector> =>
    opened.adopt(await startCollector({ NATS_URL: server.url, STORE_PATH: folder.path }), async (each) => {
      each.process.kill('SIGCONT');
      await each.stop();
    });

  let collector = await start();
  const load = startLoad(bus);
  const stored = async (): Promise<number> =>
    (await collector.get<{ streams: StreamAnswer[] }>('/v1/streams')).streams[0]?.results ?? 0;
  await eventually('results are stored', async () => (await stored()) > 100);

  const before = load.published();
  if (how === 'SIGSTOP') collector.process.kill('SIGSTOP');
  else await collector.stop();
  await sleep(awayMs);
  const publishedMeanwhile = load.published() - before;
  if (how === 'SIGSTOP') collector.process.kill('SIGCONT');
  else collector = await start();

  // The load goes on while it catches up.
  await eventually(
    'it catches up',
    async () => (await stored()) > (before + publishedMeanwhile) * LOADED.length,
    60_000,
  );
  const published = await load.stop();
  await publishEnd(bus, 'cam', 'r1');
  await ended(collector, 'cam', 60_000);
  const client = await listen(`${collector.addresses.api}/v1/events?after=0`);
  await eventually('the end among the events', () => client.events.some(({ event }) => event === 'end'));
  await client.close();
  const results = client.events.filter(({ event }) => event !== 'end').map(({ data }) => data as ResultRecord);
  const lines = (await collector.text('/v1/streams/cam/records', { accept: 'application/x-ndjson' })).trimEnd();
  return {
    published,
    publishedMeanwhile,
    records: lines.split('\n').map((line) => {
      const { n, algorithm } = JSON.parse(line) as ResultRecord;
      return `${n}.${algorithm}`;
    }),
    events: new Map(
      LOADED.map((name) => [name, results.filter(({ algorithm }) => algorithm === name).map(({ n }) => n)]),
    ),
    duplicates: await collector.metric('stream_infer_duplicate_results_total'),
  };
}

/** A result of each algorithm, again and again, whether anybody stores them or not. */
function startLoad(bus: Bus): { published(): number; stop(): Promise<number> } {
  const series = LOADED.map((algorithm) => ({ stream: 'cam', run: 'r1', algorithm })).map((place) => ({
    place,
    publish: seriesPublisher(bus, place),
  }));
  let published = 0;
  let stopped = false;
  const running = (async () => {
    while (!stopped) {
      await Promise.all(series.map(({ place, publish }) => publish(testRecord(place, published + 1))));
      published += 1;
      await sleep(EVERY_MS);
    }
  })();
  return {
    published: () => published,
    async stop() {
      stopped = true;
      await running;
      return published;
    },
  };
}
