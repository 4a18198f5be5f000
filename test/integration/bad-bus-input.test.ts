/**
 * Whatever somebody else puts on the bus, or a runner answers: it is told of as PROTOCOL_BROKEN and counted, no service ends over it, and
 * the results are those of a run that nobody disturbed, of the stream itself and of the one beside it.
 */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { fetchFrame } from '@stream-infer/bus/frame-fetcher';
import { encodeFrameHeader, type FrameHeader } from '@stream-infer/bus/frame-headers';
import { openRuns, openStreams } from '@stream-infer/bus/registry';
import type { ResultRecord } from '@stream-infer/core/result-record';
import type { Run } from '@stream-infer/core/run';
import type { Invocation } from '@stream-infer/proto/stream_infer/v1/invocation';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  type StoreFolder,
  type StreamAnswer,
  startCollector,
  storeFolder,
  type TestCollector,
} from '../harness/collector.ts';
import { everyFrame, streamSpec } from '../harness/decoded-source.ts';
import { eventually } from '../harness/eventually.ts';
import { startNatsServer, type TestNatsServer } from '../harness/nats-server.ts';
import {
  type Outcome,
  type ScriptedRunner,
  type ScriptedRunnerOptions,
  startRunner,
} from '../harness/scripted-runner.ts';
import { type ServiceProcess, startService } from '../harness/service-process.ts';

const video = join(import.meta.dirname, '..', 'conformance', 'videos', 'counter30.mp4');
const FRAMES = 300;

type MsgHdrs = ReturnType<typeof encodeFrameHeader>;

let nats: TestNatsServer;
let bus: Bus;
let folder: StoreFolder;
let collector: TestCollector;
let scheduler: ServiceProcess;
let ingest: ServiceProcess;
let expected: readonly string[];
let tests = 0;
const runners: ScriptedRunner[] = [];

/** Of what stands in the frames of its window. */
async function digest({ window }: Invocation): Promise<Outcome> {
  const pictures = await Promise.all(
    (window?.frames ?? []).map(async ({ content }) => {
      if (content?.$case !== 'reference') throw new Error('no reference');
      const { data } = await fetchFrame(bus, content.value.jetstream, content.value.sequence);
      return createHash('sha1').update(data).digest('hex');
    }),
  );
  await new Promise((resolve) => setTimeout(resolve, 5));
  return { data: pictures };
}

async function runner(options: Partial<ScriptedRunnerOptions> = {}): Promise<ScriptedRunner> {
  tests += 1;
  const started = await startRunner(bus, { id: `runner-${tests}`, definitions: ['a'], answer: digest, ...options });
  runners.push(started);
  return started;
}

beforeAll(async () => {
  nats = await startNatsServer();
  folder = await storeFolder();
  const environment = { NATS_URL: nats.url, BACKOFF_MAX_MS: '500' };
  bus = await connectBus({ url: nats.url, prefix: 'stream-infer', name: 'bad-bus-input-test' });
  collector = await startCollector({ ...environment, STORE_PATH: folder.path });
  scheduler = await startService('scheduler', environment);
  ingest = await startService('ingest', environment);
  await runner();
  await play('undisturbed');
  expected = await results('undisturbed');
  for (const one of runners.splice(0)) await one.close();
}, 120_000);
afterAll(async () => {
  for (const service of [ingest, scheduler, collector]) await service?.stop();
  await bus?.close();
  await nats?.stop();
  await folder?.remove();
});
afterEach(async () => {
  for (const one of runners.splice(0)) await one.close();
  for (const service of [ingest, scheduler, collector])
    expect([service.process.exitCode, service.process.signalCode]).toEqual([null, null]);
});

async function play(id: string): Promise<void> {
  const different = { id, pixelFormat: 'gray', width: 64, height: 36, algorithms: [everyFrame] } as const;
  await (await openStreams(bus)).put(id, streamSpec(video, different));
}

const answer = (id: string): Promise<StreamAnswer> => collector.get<StreamAnswer>(`/v1/streams/${id}`);

/** Its record numbers and what was answered, once the run has ended in the store. */
async function results(id: string): Promise<readonly string[]> {
  const { end } = await eventually(
    `the end of ${id}`,
    async () => {
      const told = await answer(id);
      return told.end !== null && told;
    },
    60_000,
  );
  expect(end).toMatchObject({ fault: null, decoded: FRAMES, published: FRAMES });
  const text = await collector.text(`/v1/streams/${id}/records`, { accept: 'application/x-ndjson' });
  const records = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ResultRecord);
  return records.map(({ n, data, error }) => JSON.stringify([n, data ?? error]));
}

const untilStored = (id: string, count: number): Promise<unknown> =>
  eventually(`${count} results of ${id}`, async () => (await answer(id)).results >= count);

/** How often a service has told of what broke the protocol. */
async function broken(service: ServiceProcess): Promise<number> {
  const text = await (await fetch(`${service.addresses.http}/metrics`)).text();
  const line = text
    .split('\n')
    .find((each) => each.startsWith('stream_infer_faults_total{') && each.includes('PROTOCOL_BROKEN'));
  return Number(line?.split(' ').at(-1) ?? 0);
}

const runOf = async (id: string): Promise<Run> =>
  eventually(`the run of ${id}`, async () => {
    const run = (await (await openRuns(bus)).get(id))?.value;
    return run?.state.kind === 'playing' && run;
  });

describe('a message that somebody else publishes among the frames (F-11)', () => {
  const header = ({ run, epoch }: Run, different: Partial<FrameHeader>): FrameHeader => ({
    ...{ kind: 'frame', run, epoch, n: 250, previous: 249, sourceIndex: 249, presentationTimeUs: 0 },
    ...{ capturedAtMs: 0, ageMs: 0, size: { width: 64, height: 36 }, pixelFormat: 'gray', encoding: 'raw' },
    ...{ sourceSize: { width: 320, height: 180 }, ...different },
  });
  const frame = new Uint8Array(64 * 36);
  const lacking = (encoded: MsgHdrs): MsgHdrs => {
    encoded.delete('Si-N');
    return encoded;
  };

  test.each<[string, (run: Run) => { headers?: MsgHdrs; data: Uint8Array | string }]>([
    ['without headers', () => ({ data: frame })],
    ['that looks like an end marker in JSON', () => ({ data: '{"end":3,"lastPlayed":3,"decoded":3}' })],
    ['that lacks a header', (run) => ({ headers: lacking(encodeFrameHeader(header(run, {}))), data: frame })],
    ['of another run', (run) => ({ headers: encodeFrameHeader(header(run, { run: 'r0' })), data: frame })],
    [
      'whose number goes back',
      (run) => ({ headers: encodeFrameHeader(header(run, { n: 3, previous: 2 })), data: frame }),
    ],
    [
      'whose size is not that of the run',
      (run) => ({ headers: encodeFrameHeader(header(run, { size: { width: 640, height: 360 } })), data: frame }),
    ],
    ['that has not the bytes of its size', (run) => ({ headers: encodeFrameHeader(header(run, {})), data: 'x' })],
    [
      'with an end that lies',
      (run) => {
        const lying = lacking(encodeFrameHeader(header(run, {})));
        lying.set('Si-End', '{"n":1}');
        return { headers: lying, data: '' };
      },
    ],
  ])('%s', async (_, foreign) => {
    await runner();
    const [lobby, yard] = [`lobby-${tests}`, `yard-${tests}`];
    const before = await broken(scheduler);
    await Promise.all([play(lobby), play(yard)]);
    await untilStored(lobby, 30);
    const run = await runOf(lobby);
    const { data, ...options } = foreign(run);
    bus.connection.publish(bus.topology.framesSubject(lobby, run.epoch), data, options);
    expect(await results(lobby)).toEqual(expected);
    expect(await results(yard)).toEqual(expected);
    expect(await broken(scheduler)).toBeGreaterThan(before);
  });
});

const GARBAGE = [
  '{',
  'null',
  '42',
  '[]',
  '{}',
  '"text"',
  '{"id":"lobby","run":7,"state":{}}',
  '{"owner":null}',
  '\u0000',
];

test('garbage in every bucket and on every announcement (N-6)', async () => {
  await runner();
  await Promise.all([play('lobby'), play('yard')]);
  await untilStored('lobby', 20);
  const { topology } = bus;
  for (const garbage of GARBAGE) {
    for (const bucket of Object.values(topology.buckets))
      for (const key of ['lobby', 'nothing', `runner-${tests}`, 'ingest.nobody', 'scheduler.nobody'])
        bus.connection.publish(`$KV.${bucket}.${key}`, garbage);
    const { releasedSubject, rewindSubject, statusSubject, lanesSubject } = topology;
    for (const subject of [releasedSubject, rewindSubject, statusSubject, lanesSubject])
      for (const stream of ['lobby', 'nothing']) bus.connection.publish(subject(stream), garbage);
    await bus.connection.flush();
  }
  const told = await answer('lobby');
  expect(told.state).toBe('running');
  expect(await results('lobby')).toEqual(expected);
  expect(await results('yard')).toEqual(expected);
  for (const service of [ingest, scheduler, collector]) {
    expect(await broken(service)).toBeGreaterThan(GARBAGE.length);
    expect((await fetch(`${service.addresses.http}/v2/health/ready`)).status).toBe(200);
  }

  // What stands there still keeps nobody from starting, and nothing from being played.
  await Promise.all([ingest.stop(), scheduler.stop()]);
  const environment = { NATS_URL: nats.url, BACKOFF_MAX_MS: '500' };
  [scheduler, ingest] = await Promise.all([
    startService('scheduler', environment),
    startService('ingest', environment),
  ]);
  await play('nothing');
  expect(await results('nothing')).toEqual(expected);
}, 240_000);

describe('a runner', () => {
  test('that answers twice, and what nobody asked (G-4)', async () => {
    await runner({ strays: ({ id }) => [id, 'lobby/r0/a/1/1', ''] });
    const before = await broken(scheduler);
    await play('twice');
    expect(await results('twice')).toEqual(expected);
    expect((await broken(scheduler)) - before).toBe(3 * FRAMES);
    const lines = scheduler
      .log()
      .split('\n')
      .filter((line) => line.includes('holds no invocation'));
    expect(lines.length).toBeLessThan(FRAMES);
  });

  test('that answers with bytes that are no JSON, once and for ever', async () => {
    const isBad = ({ n, attempt }: Invocation): boolean => n === 7 || (n === 9 && attempt === 1);
    await runner({ answer: (one) => (isBad(one) ? { bytes: Buffer.from([0xff, 0x7b]) } : digest(one)) });
    await play('no-json');
    const found = await results('no-json');
    expect(found.filter((_, index) => index !== 6)).toEqual(expected.filter((_, index) => index !== 6));
    expect(found[6]).toContain('RESULT_NOT_JSON');
  });

  test('that never answers one, and the stream beside it', async () => {
    let silent = 0;
    const isDeaf = ({ stream, n }: Invocation): boolean => stream === 'deaf' && n === 7 && silent++ === 0;
    await runner({ concurrency: 4, answer: (one) => (isDeaf(one) ? undefined : digest(one)) });
    const different = { id: 'deaf', pixelFormat: 'gray', width: 64, height: 36 } as const;
    const algorithms = [{ ...everyFrame, timeoutMs: 200 }];
    await (await openStreams(bus)).put('deaf', streamSpec(video, { ...different, algorithms }));
    await play('beside');
    expect(await results('deaf')).toEqual(expected);
    expect(await results('beside')).toEqual(expected);
    expect(silent).toBe(2);
  });
});
