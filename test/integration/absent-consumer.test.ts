/**
 * A consumer that is slow, away or without room, for seconds (test/chaos/consumer.test.ts: for a minute): what is full is a named state,
 * nothing ends over it, and once there is room again every result is stored once, in order (I5, EX-7, EX-8).
 */

import { join } from 'node:path';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { openStreams } from '@stream-infer/bus/registry';
import { ensureResultStream } from '@stream-infer/bus/result-stream';
import type { AlgorithmTotals, ResultRecord, RunEnd } from '@stream-infer/core/result-record';
import type { SourceNow } from '@stream-infer/core/stream-report';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { absentCollector, LOADED } from '../harness/absent-collector.ts';
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
import { type Outcome, type ScriptedRunner, startRunner } from '../harness/scripted-runner.ts';
import { startService } from '../harness/service-process.ts';
import { startTestScheduler, type TestScheduler } from '../harness/test-scheduler.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('a collector that is away under load', () => {
  test.each(['SIGSTOP', 'SIGTERM'] as const)(
    'by %s for ten seconds stores every result once, in order',
    async (how) => {
      const after = await absentCollector({ how, awayMs: 10_000 });
      expect(after.publishedMeanwhile).toBeGreaterThan(100);
      expect(after.records).toEqual(upTo(after.published).flatMap((n) => LOADED.map((name) => `${n}.${name}`)));
      for (const ns of after.events.values()) expect(ns).toEqual(upTo(after.published));
    },
  );
});

const video = join(import.meta.dirname, '..', 'conformance', 'videos', 'counter30.mp4');

/** A bus with little room, the services on it, and a runner that answers with much. */
type FullWorld = {
  readonly bus: Bus;
  readonly scheduler: TestScheduler;
  collector(): Promise<TestCollector>;
  play(id: string, different?: Partial<StreamSpec>): Promise<void>;
  runner(answer: () => Outcome): Promise<ScriptedRunner>;
};

let server: TestNatsServer;
let folder: StoreFolder;
let opened: AsyncDisposableStack;
beforeEach(() => {
  opened = new AsyncDisposableStack();
});
afterEach(() => opened.disposeAsync());

async function fullWorld(configuration: string, resultsMaxBytes: number): Promise<FullWorld> {
  server = opened.adopt(await startNatsServer({ configuration }), (each) => each.stop());
  folder = opened.adopt(await storeFolder(), (each) => each.remove());
  const environment = { NATS_URL: server.url, BACKOFF_MAX_MS: '500', RESULTS_MAX_BYTES: String(resultsMaxBytes) };
  const connected = await connectBus({ url: server.url, prefix: 'stream-infer', name: 'absent-consumer-test' });
  const bus = opened.adopt(connected, (each) => each.close());
  await ensureResultStream(bus, { maxBytes: resultsMaxBytes });
  /** Each ends in order at last: none has ended before. */
  const ends = async (service: { stop(): Promise<number | null> }): Promise<void> =>
    expect(await service.stop()).toBe(0);
  const scheduler = opened.adopt(
    await startTestScheduler({ ...environment, DEAD_LETTERS_MAX_BYTES: String(2 ** 20) }),
    ends,
  );
  opened.adopt(await startService('ingest', environment), ends);
  return {
    bus,
    scheduler,
    collector: async () => opened.adopt(await startCollector({ ...environment, STORE_PATH: folder.path }), ends),
    play: async (id, different = {}) =>
      void (await (
        await openStreams(bus)
      ).put(
        id,
        streamSpec(video, { id, pixelFormat: 'gray', width: 64, height: 36, algorithms: [everyFrame], ...different }),
      )),
    runner: async (answer) =>
      opened.adopt(await startRunner(bus, { id: 'one', definitions: ['a'], answer }), (each) => each.close()),
  };
}

async function stored(collector: TestCollector, id: string): Promise<number[]> {
  await eventually(
    `the end of ${id}`,
    async () => (await collector.get<StreamAnswer>(`/v1/streams/${id}`)).end !== null,
    60_000,
  );
  const text = await collector.text(`/v1/streams/${id}/records`, { accept: 'application/x-ndjson' });
  return text
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as ResultRecord).n);
}

const refusals = (scheduler: TestScheduler): Promise<number> => scheduler.metric('stream_infer_results_refused_total');
const large = (): Outcome => ({ data: 'x'.repeat(20_000) });

describe('RESULTS that is full, since nobody stores', () => {
  test('an offline run waits and loses nothing; a realtime one plays on and counts what it could not keep', async () => {
    const world = await fullWorld('', 2 ** 20);
    await world.runner(large);
    await world.play('file');
    await world.play('camera', { mode: 'realtime' });
    await eventually('RESULTS refuses', async () => (await refusals(world.scheduler)) > 8, 60_000);
    await eventually('realtime counts', async () => {
      return (await world.scheduler.metric('stream_infer_invocations_total', 'reason="results-full"')) > 10;
    });
    const collector = await world.collector();
    expect(await stored(collector, 'file')).toEqual(upTo(300));
    const camera = await stored(collector, 'camera');
    expect(camera).toEqual([...new Set(camera)].sort((a, b) => a - b));
    const { end } = await collector.get<StreamAnswer>('/v1/streams/camera');
    const { triggered, completed, dropped } = (end as RunEnd).algorithms.a as AlgorithmTotals;
    expect(dropped['results-full']).toBeGreaterThan(0);
    expect(completed).toBe(camera.length);
    expect(triggered).toBe(camera.length + Object.values(dropped).reduce((sum, count) => sum + count, 0));
  });
});

test('a bus whose memory is full is told of as no-room, and the stream plays as soon as another has left', async () => {
  const world = await fullWorld('jetstream { max_memory_store: 1MB, max_file_store: 200MB }\n', 2 ** 24);
  const collector = await world.collector();
  const source = async (id: string): Promise<SourceNow | null> =>
    (await collector.get<{ source: SourceNow | null }>(`/v1/streams/${id}`)).source;
  // Without a runner the first keeps its buffer.
  const frames = { width: 160, height: 90, algorithms: [{ ...everyFrame, frameCount: 30 }] };
  await world.play('first', frames);
  await eventually('the first plays', async () => (await source('first'))?.state === 'playing');
  await world.play('second', frames);
  const told = await eventually('the second has no room', async () => {
    const now = await source('second');
    return now?.reason === 'no-room' && now;
  });
  expect(told.state).toBe('reconnecting');
  expect((await source('first'))?.state).toBe('playing');
  await (await openStreams(world.bus)).delete('first');
  await world.runner(() => ({ data: 1 }));
  expect(await stored(collector, 'second')).toEqual(upTo(300));
});
