/** Streams that come and go by the dozen change nothing for those that play, and leave nothing behind. */

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { openAssignments, openRuns } from '@stream-infer/bus/registry';
import type { StreamReport } from '@stream-infer/core/stream-report';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCollector, type TestCollector } from '../harness/collector.ts';
import { eventually } from '../harness/eventually.ts';
import { startNatsServer, type TestNatsServer } from '../harness/nats-server.ts';
import { descendants } from '../harness/process-tree.ts';
import { type ServiceProcess, startService } from '../harness/service-process.ts';
import { killed } from '../harness/takeover-team.ts';

/** How many come and go; a soak sets more. */
const CHURNED = Number(process.env.STREAM_INFER_CHURN ?? 24);
const AT_ONCE = 4;
const PLAYING = ['a', 'b'];
const CAMERA = { source: 'lavfi:testsrc=size=32x32:rate=10', pixelFormat: 'gray' };
const JOB = { ...CAMERA, source: 'lavfi:testsrc=size=32x32:rate=10:duration=2', mode: 'offline' };

let nats: TestNatsServer;
let bus: Bus;
let directory: string;
let environment: Readonly<Record<string, string>>;
let collector: TestCollector;
const services: ServiceProcess[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-churn-'));
  const file = join(directory, 'installation.yaml');
  await writeFile(file, 'algorithms:\n  - {name: stats, use: frame-stats, interval: 0.5}\n');
  nats = await startNatsServer();
  environment = { NATS_URL: nats.url, STREAM_INFER_CONFIG: file, STORE_PATH: join(directory, 'results.sqlite') };
  collector = await startCollector(environment);
  for (const name of ['algo-runner', 'scheduler', 'ingest'] as const)
    services.push(await startService(name, environment));
  bus = await connectBus({ url: nats.url, prefix: 'stream-infer', name: 'churn-test' });
});
afterAll(async () => {
  await Promise.all([...services, collector].map((service) => service?.stop()));
  await bus?.close();
  await nats?.stop();
  await rm(directory, { recursive: true, force: true });
});

const put = (id: string, definition: object = CAMERA): Promise<Response> =>
  fetch(`${collector.addresses.api}/v1/streams/${id}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(definition),
  });
const remove = (id: string): Promise<Response> =>
  fetch(`${collector.addresses.api}/v1/streams/${id}`, { method: 'DELETE' });
const report = (id: string): Promise<StreamReport> => collector.get<StreamReport>(`/v1/streams/${id}`);

/** What is there for the streams: their buffers, the consumers of these, their ffmpegs, the ingest's open files. */
async function held() {
  const buffers = (await bus.manager.streams.list().next()).filter(({ config }) => config.name.includes('FRAMES_'));
  const ingest = services.at(-1)?.process.pid ?? 0;
  const processes = await descendants(ingest);
  return {
    buffers: buffers
      .map(({ config }) => bus.topology.streamOfFrames(config.name))
      .sort((a, b) => ((a ?? '') < (b ?? '') ? -1 : 1)),
    consumers: buffers.reduce((sum, { state }) => sum + state.consumer_count, 0),
    ffmpegs: processes.filter(({ command }) => command === 'ffmpeg').length,
    files: (await readdir(`/proc/${ingest}/fd`)).length,
  };
}

/** What the registry has of runs, and of the schedulers that follow them. */
async function registered(): Promise<string[]> {
  const [runs, assignments] = await Promise.all([openRuns(bus), openAssignments(bus)]);
  return [...(await runs.entries()), ...(await assignments.entries())].map(({ key }) => key);
}
const untilForgotten = (): Promise<unknown> =>
  eventually('no run is registered, and nobody follows one', async () => (await registered()).length === 0);

test('those that play go on, in the same run and with no result lost, and of the others nothing is left', async () => {
  for (const id of PLAYING) await put(id);
  const before = await eventually('both play', async () => {
    const all = await Promise.all(PLAYING.map(report));
    return all.every(({ results }) => results >= 2) && all;
  });
  const heldBefore = await held();
  expect(heldBefore).toMatchObject({ buffers: PLAYING, consumers: 2, ffmpegs: 2 });

  const churn = async (id: string): Promise<void> => {
    expect((await put(id)).status).toBe(201);
    await eventually(`${id} plays`, async () => (await report(id)).source?.state === 'playing');
    expect((await remove(id)).status).toBe(204);
  };
  for (let begun = 0; begun < CHURNED; begun += AT_ONCE)
    await Promise.all(
      Array.from({ length: Math.min(AT_ONCE, CHURNED - begun) }, (_, index) => churn(`c${begun + index}`)),
    );

  const heldAfter = await eventually('nothing is left of what was removed', async () => {
    const now = await held();
    return now.buffers.length === PLAYING.length && now.consumers === 2 && now.ffmpegs === 2 && now;
  });
  expect(heldAfter.buffers).toEqual(PLAYING);
  expect(heldAfter.files).toBeLessThanOrEqual(heldBefore.files + 4);
  for (const [index, id] of PLAYING.entries()) {
    const now = await report(id);
    expect(now).toMatchObject({ run: before[index]?.run, state: 'running', source: { state: 'playing' } });
    const { stats } = await collector.get<{ stats: Record<string, object> }>(`/v1/streams/${id}/results`);
    const keys = Object.keys(stats).map(Number);
    const due = Math.round(((keys.at(-1) ?? 0) - (keys[0] ?? 0)) / 0.5) + 1;
    // A result each half second of the source's time; what a machine with much else to do had to leave out is counted.
    await eventually(`every result of ${id} that is missing is counted`, async () => {
      const dropped = Object.values((await report(id)).algorithms.stats?.dropped ?? {});
      return due - keys.length <= dropped.reduce((sum, count) => sum + count, 0);
    });
  }
  for (const id of PLAYING) await remove(id);
  await eventually('no buffer is left', async () => (await held()).buffers.length === 0);
  await untilForgotten();
});

test('a job that was over, and a stream that was removed while no ingest was there to end it, leave nothing either', async () => {
  await put('job', JOB);
  await put('cam');
  await eventually('the job is done', async () => (await report('job')).state === 'ended');
  await eventually('the camera plays', async () => (await report('cam')).results > 0);
  expect(await registered()).toEqual(['cam', 'job', 'cam', 'job']);
  const ingest = services.pop();
  if (ingest) await killed(ingest);
  await Promise.all(['job', 'cam'].map(remove));
  services.push(await startService('ingest', environment));
  await untilForgotten();
  await eventually('no buffer is left', async () => (await held()).buffers.length === 0);
});
