/**
 * A consumer that is away for a minute, a disk that is really full, and retention while results come: nothing is lost, nothing is stored
 * twice, and no service ends over it.
 */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { fetchFrame } from '@stream-infer/bus/frame-fetcher';
import { openStreams } from '@stream-infer/bus/registry';
import { ensureResultStream } from '@stream-infer/bus/result-stream';
import type { ResultRecord } from '@stream-infer/core/result-record';
import type { Invocation } from '@stream-infer/proto/stream_infer/v1/invocation';
import { describe, expect, test } from 'vitest';
import { absentCollector, LOADED } from '../harness/absent-collector.ts';
import {
  type StreamAnswer,
  seriesPublisher,
  startCollector,
  storeFolder,
  type TestCollector,
  testRecord,
} from '../harness/collector.ts';
import { everyFrame, streamSpec } from '../harness/decoded-source.ts';
import { eventually } from '../harness/eventually.ts';
import { startNatsServer, type TestNatsServer } from '../harness/nats-server.ts';
import { type Outcome, startRunner } from '../harness/scripted-runner.ts';
import { startService } from '../harness/service-process.ts';

const run = promisify(execFile);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('a collector that is away under load', () => {
  test.each(['SIGSTOP', 'SIGTERM'] as const)(
    'by %s for a minute stores every result once, in order',
    async (how) => {
      const after = await absentCollector({ how, awayMs: 60_000 });
      expect(after.publishedMeanwhile).toBeGreaterThan(1_000);
      expect(after.records).toEqual(upTo(after.published).flatMap((n) => LOADED.map((name) => `${n}.${name}`)));
      for (const ns of after.events.values()) expect(ns).toEqual(upTo(after.published));
    },
    240_000,
  );
});

/** A file system of its own, of so many bytes; undefined where this process may not mount one. */
async function smallDisk(bytes: number): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'stream-infer-test-disk-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder]);
    return folder;
  } catch {
    await rm(folder, { recursive: true });
    return undefined;
  }
}

async function unmount(folder: string): Promise<void> {
  await run('umount', ['-l', folder]);
  await rm(folder, { recursive: true });
}

const video = join(import.meta.dirname, '..', 'conformance', 'videos', 'counter30.mp4');

test('a full disk below nats-server stops the run, and room and a new nats-server bring it to its exact end', async (context) => {
  await using opened = new AsyncDisposableStack();
  const disk = await smallDisk(48 * 2 ** 20);
  if (disk === undefined) return context.skip('no file system can be mounted here');
  opened.adopt(disk, unmount);
  let server: TestNatsServer = await startNatsServer({ store: disk });
  opened.defer(() => server.stop());
  const folder = opened.adopt(await storeFolder(), (each) => each.remove());
  const environment = {
    NATS_URL: server.url,
    BACKOFF_MAX_MS: '500',
    RESULTS_MAX_BYTES: String(2 ** 23),
    DEAD_LETTERS_MAX_BYTES: String(2 ** 20),
  };
  const ends = async (service: { stop(): Promise<number | null> }): Promise<void> =>
    expect(await service.stop()).toBe(0);
  const collector = opened.adopt(await startCollector({ ...environment, STORE_PATH: folder.path }), ends);
  const scheduler = opened.adopt(await startService('scheduler', environment), ends);
  const ingest = opened.adopt(await startService('ingest', environment), ends);
  const connected = await connectBus({ url: server.url, prefix: 'stream-infer', name: 'consumer-test' });
  const bus = opened.adopt(connected, (each) => each.close());
  const answer = (invocation: Invocation): Promise<Outcome> => digest(bus, invocation);
  opened.adopt(await startRunner(bus, { id: 'one', definitions: ['a'], answer }), (each) => each.close());
  const play = async (id: string): Promise<void> => {
    const different = { id, pixelFormat: 'gray', width: 64, height: 36, algorithms: [everyFrame] } as const;
    await (await openStreams(bus)).put(id, streamSpec(video, different));
  };

  await play('undisturbed');
  const expected = await answers(collector, 'undisturbed');
  await play('lobby');
  const stored = async (): Promise<number> => (await collector.get<StreamAnswer>('/v1/streams/lobby')).results;
  await eventually('results are stored', async () => (await stored()) > 20);
  const ballast = join(disk, 'ballast');
  const { bavail, bsize } = await statfs(disk);
  await writeFile(ballast, new Uint8Array(bavail * bsize)).catch(() => undefined);
  // Until nothing more comes, or all has come before anything was refused.
  let before = -1;
  for (let now = await stored(); now !== before; now = await stored()) {
    before = now;
    await sleep(3_000);
  }
  expect(before).toBeLessThan(expected.length);
  for (const { process } of [collector, scheduler, ingest]) expect(process.exitCode).toBeNull();
  expect(scheduler.log().split('\n').length).toBeLessThan(200);
  expect(ingest.log().split('\n').length).toBeLessThan(200);

  await rm(ballast);
  // A server that met a full disk has turned JetStream off, until it is started anew.
  const port = Number(new URL(server.url).port);
  await server.stop();
  server = await startNatsServer({ store: disk, port });
  expect(await answers(collector, 'lobby')).toEqual(expected);
  for (const { process } of [collector, scheduler, ingest]) expect(process.exitCode).toBeNull();
}, 240_000);

async function digest(bus: Bus, { window }: Invocation): Promise<Outcome> {
  const content = window?.frames[0]?.content;
  if (content?.$case !== 'reference') throw new Error('no reference');
  await sleep(10);
  try {
    const { data } = await fetchFrame(bus, content.value.jetstream, content.value.sequence);
    return { data: createHash('sha1').update(data).digest('hex').repeat(200) };
  } catch {
    return { code: 'BUS_FAILED' };
  }
}

/** Of a stream whose run has ended in the store: n and data of each record. */
async function answers(collector: TestCollector, id: string): Promise<unknown[]> {
  await eventually(
    `the end of ${id}`,
    async () => (await collector.get<StreamAnswer>(`/v1/streams/${id}`)).end !== null,
    120_000,
  );
  const text = await collector.text(`/v1/streams/${id}/records`, { accept: 'application/x-ndjson' });
  const records = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ResultRecord);
  return records.map(({ n, data, error }) => [n, data ?? error]);
}

test('retention by age and by bytes holds while results come', async () => {
  await using opened = new AsyncDisposableStack();
  const server = opened.adopt(await startNatsServer(), (each) => each.stop());
  const folder = opened.adopt(await storeFolder(), (each) => each.remove());
  const connected = await connectBus({ url: server.url, prefix: 'stream-infer', name: 'consumer-test' });
  const bus = opened.adopt(connected, (each) => each.close());
  await ensureResultStream(bus, { maxBytes: 1 << 28 });
  const limits = { bytes: 4_000_000, ageMs: 8_000 };
  const environment = {
    NATS_URL: server.url,
    STORE_PATH: folder.path,
    RETENTION_BYTES: String(limits.bytes),
    RETENTION_DAYS: String(limits.ageMs / 86_400_000),
  };
  const collector = opened.adopt(await startCollector(environment), async (each) => void (await each.stop()));
  const until = performance.now() + 30_000;
  const place = (stream: string) => ({ stream, run: 'r1', algorithm: 'faces' });
  /** One that fills the store, and one of which only age takes anything. */
  const load = async (stream: string, everyMs: number, data: string): Promise<number> => {
    const publish = seriesPublisher(bus, place(stream));
    let n = 0;
    while (performance.now() < until) {
      n += 1;
      await publish(testRecord(place(stream), n, { data }));
      await sleep(everyMs);
    }
    return n;
  };
  const loads = Promise.all([load('busy', 1, 'x'.repeat(10_000)), load('calm', 200, '')]);
  const sizes: number[] = [];
  while (performance.now() < until) {
    await sleep(500);
    sizes.push(await collector.metric('stream_infer_store_bytes', 'used'));
  }
  const [busy, calm] = await loads;
  // Retention looks every two seconds: what comes in between is above the limit for so long.
  const perSecond = (busy / 30) * 10_300;
  expect(Math.max(...sizes)).toBeLessThan(limits.bytes + 3 * perSecond);
  expect(await collector.metric('stream_infer_removed_results_total', 'bytes')).toBeGreaterThan(0);
  const kept = async (stream: string): Promise<number[]> => {
    const text = await collector.text(`/v1/streams/${stream}/records`, { accept: 'application/x-ndjson' });
    return text
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as ResultRecord).n);
  };
  // The newest are kept, without a gap.
  const newest = await kept('busy');
  expect(newest).toEqual(upTo(busy).slice(-newest.length));
  expect((await kept('calm')).length).toBeLessThan(calm);
  await eventually('no result is as young as that', async () => {
    const { streams } = await collector.get<{ streams: StreamAnswer[] }>('/v1/streams');
    return streams.every(({ results }) => results === 0);
  });
  expect(await collector.metric('stream_infer_removed_results_total', 'age')).toBeGreaterThan(0);
});
