/**
 * The bus falls silent: its connections stay open, and nothing comes through. Every service says that it takes no work, stays alive in the same
 * process, and goes on by itself once the bus answers: soon, or so late that the link was given up and is made anew.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { openStreams } from '@stream-infer/bus/registry';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { everyFrame, streamSpec } from '../harness/decoded-source.ts';
import { eventually } from '../harness/eventually.ts';
import { startNatsServer, type TestNatsServer } from '../harness/nats-server.ts';
import { resultLog } from '../harness/result-log.ts';
import { type ServiceName, type ServiceProcess, startService } from '../harness/service-process.ts';

const NAMES: readonly ServiceName[] = ['ingest', 'scheduler', 'algo-runner', 'collector'];
/** A beat that the bus does not take, for so long; and what is waited for before. */
const UNREADY_MS = 8_000;
/** Pings that are not answered give a link up after half a minute. */
const GIVEN_UP_MS = 45_000;
/** It takes two of those, and what is waited for besides. */
const LIMIT_MS = 240_000;

let directory: string;
let nats: TestNatsServer;
let bus: Bus;
/** Links of the test's own that were made anew. */
let reconnects = 0;
const services = new Map<ServiceName, ServiceProcess>();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-silent-bus-'));
  const configuration = join(directory, 'algorithms.yaml');
  await writeFile(configuration, 'algorithms: [{name: stats, use: frame-stats}]\n');
  nats = await startNatsServer();
  bus = await connectBus({ url: nats.url, prefix: 'stream-infer', name: 'silent-bus-test' });
  bus.onReconnect(() => {
    reconnects += 1;
  });
  const store = { STORE_PATH: join(directory, 'results.sqlite') };
  const environment = { NATS_URL: nats.url, STREAM_INFER_CONFIG: configuration, ...store };
  for (const name of NAMES) services.set(name, await startService(name, environment));
  const algorithm = { ...everyFrame, name: 'stats', definition: 'stats' };
  const camera = { mode: 'realtime', pixelFormat: 'gray', algorithms: [algorithm] } as const;
  await (await openStreams(bus)).put('cam', streamSpec('lavfi:testsrc=size=32x32:rate=4', camera));
});
afterAll(async () => {
  process.kill(nats.pid, 'SIGCONT');
  await Promise.all([...services.values()].map((service) => service.stop()));
  await bus?.close();
  await nats?.stop();
  await rm(directory, { recursive: true, force: true });
});

const service = (name: ServiceName): ServiceProcess => services.get(name) as ServiceProcess;
const health = async (name: ServiceName, what: string): Promise<number> =>
  (await fetch(`${service(name).addresses.http}/v2/health/${what}`)).status;
const stored = async (): Promise<number> => {
  const answer = await fetch(`${service('collector').addresses.api}/v1/streams/cam`);
  return ((await answer.json()) as { results: number }).results;
};
const untilMore = async (): Promise<void> => {
  const before = await stored();
  await eventually('more results', async () => (await stored()) > before + 3, 60_000);
};
const untilAll = (status: number, limitMs: number): Promise<unknown> =>
  Promise.all(
    NAMES.map((name) =>
      eventually(`${name} says ${status}`, async () => (await health(name, 'ready')) === status, limitMs),
    ),
  );

test.each([
  ['for a moment', 0],
  ['until its link is given up', GIVEN_UP_MS],
])(
  '%s',
  async (_, silentMs) => {
    await untilAll(200, 30_000);
    await untilMore();
    const linksBefore = reconnects;
    const silentSinceMs = performance.now();
    process.kill(nats.pid, 'SIGSTOP');
    try {
      await untilAll(503, UNREADY_MS);
      do {
        for (const name of NAMES) {
          expect(await health(name, 'live'), name).toBe(200);
          expect(await health(name, 'ready'), name).toBe(503);
        }
        await sleep(500);
      } while (performance.now() - silentSinceMs < silentMs);
    } finally {
      process.kill(nats.pid, 'SIGCONT');
    }
    await untilAll(200, 60_000);
    await untilMore();
    expect(reconnects - linksBefore).toBe(silentMs < GIVEN_UP_MS ? 0 : 1);
    for (const name of NAMES)
      expect([service(name).process.exitCode, service(name).process.signalCode]).toEqual([null, null]);
    const { records, ends } = await resultLog(bus);
    const numbers = records.map(({ n }) => n);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    expect(new Set(records.map(({ run }) => run)).size).toBe(1);
    expect(ends).toEqual([]);
  },
  LIMIT_MS,
);
