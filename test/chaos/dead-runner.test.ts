/**
 * What a runner that is gone half-way costs: 240 invocations of 20 ms over two of them. Measured beside the same load with both well, so
 * that what is compared had the same machine.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ResultRecord } from '@stream-infer/core/result-record';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { untilEnded } from '../harness/result-log.ts';
import { schedulerWorld } from '../harness/scheduler-world.ts';
import { type ScriptedIngest, startIngest } from '../harness/scripted-ingest.ts';
import { type ServiceProcess, startService } from '../harness/service-process.ts';
import { type StallingProxy, startProxy } from '../harness/stalling-proxy.ts';
import { algorithm, sourceFacts, streamSpec } from '../model/specs.ts';

const INVOCATIONS = 240;
/** Slow enough for one runner alone. */
const EVERY_MS = 30;
const BURST = 4;

const world = schedulerWorld();
const spec = streamSpec({ algorithms: [algorithm({ intervalFrames: 1, timeoutMs: 10_000 })] });

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-dead-runner-'));
  const body = 'async run([{ n }]) { await new Promise((resolve) => setTimeout(resolve, 20)); return n; }';
  await writeFile(join(directory, 'a.mjs'), `export default class { ${body} }\n`);
  await writeFile(join(directory, 'algorithms.yaml'), 'algorithms: [{name: a, use: ./a.mjs}]\n');
});
afterAll(() => rm(directory, { recursive: true, force: true }));

type Runner = { readonly service: ServiceProcess; readonly proxy: StallingProxy };
let runners: Runner[];

beforeEach(async () => {
  runners = await Promise.all([startRunner(), startRunner()]);
  await eventually(
    'both are connected',
    async () => (await world.scheduler.metric('stream_infer_runners_connected')) === 2,
  );
});
afterEach(async () => {
  for (const { service, proxy } of runners.splice(0)) {
    service.process.kill('SIGKILL');
    await proxy.close();
  }
});

/** A runner as a process, which the scheduler reaches through a proxy. */
async function startRunner(): Promise<Runner> {
  const port = await freePort();
  const proxy = await startProxy(port);
  const service = await startService('algo-runner', {
    ...world.environment,
    STREAM_INFER_CONFIG: join(directory, 'algorithms.yaml'),
    GRPC_PORT: String(port),
    ADVERTISE_ADDRESS: proxy.address,
  });
  return { service, proxy };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

/** Plays one run; how long its slowest invocation took, from its frame's publishing to its result's. */
async function slowestMs(run: string, halfWay: () => void): Promise<number> {
  const { bus } = world;
  const publishedAtMs = new Map<number, number>();
  let slowest = 0;
  const subscription = bus.connection.subscribe(bus.topology.resultSubject(spec.id, run, 'a'), {
    callback: (_, message) => {
      const { n } = message.json<ResultRecord>();
      slowest = Math.max(slowest, performance.now() - (publishedAtMs.get(n) ?? Number.NaN));
    },
  });
  const ingest = await startIngest(bus, spec, sourceFacts(), run);
  let n = 0;
  const publish = async (count: number, to: ScriptedIngest): Promise<void> => {
    for (let i = 0; i < count; i += 1) publishedAtMs.set(n + i + 1, performance.now());
    n += count;
    await to.play(count);
  };
  while (n < INVOCATIONS) {
    if (n === INVOCATIONS / 2) {
      // Both runners hold two.
      await publish(BURST, ingest);
      halfWay();
    } else await publish(1, ingest);
    await sleep(EVERY_MS);
  }
  await ingest.end();
  const { records, end } = await untilEnded(bus, spec.id, run);
  subscription.unsubscribe();
  ingest.close();
  expect(records.map((record) => record.n)).toEqual(Array.from({ length: INVOCATIONS }, (_, i) => i + 1));
  expect(end.algorithms.a).toEqual({ triggered: INVOCATIONS, completed: INVOCATIONS, failed: 0, dropped: {} });
  return slowest;
}

test.each([
  ['ended by kill -9', ({ service }: Runner) => service.process.kill('SIGKILL')],
  ['stopped by SIGSTOP', ({ service }: Runner) => service.process.kill('SIGSTOP')],
  ['behind a proxy that stops forwarding', ({ proxy }: Runner) => proxy.stall()],
])('a runner that is %s half-way costs less than 2 s, and no result', async (_, end) => {
  const without = await slowestMs('well', () => undefined);
  const dead = await slowestMs('dead', () => {
    if (runners[0]) end(runners[0]);
  });
  console.info(`slowest: ${Math.round(without)} ms with both runners, ${Math.round(dead)} ms with one gone`);
  expect(dead - without).toBeLessThan(2_000);
  // Something was lost, or nothing was shown.
  expect(await world.scheduler.metric('stream_infer_runner_conversations_broken_total')).toBeGreaterThan(0);
});
