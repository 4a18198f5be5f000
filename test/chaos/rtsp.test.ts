/**
 * Cameras of a real RTSP server through every fault that cameras have: each is told as what it is, frames come again as soon as the
 * camera does, in the next epoch of the same run and with n going on (EX-8), and cameras elsewhere notice nothing (I6).
 */

import { readdir, readFile } from 'node:fs/promises';
import type { Run } from '@stream-infer/core/run';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CameraRecorder, type RecordedFrame } from '../harness/camera-recorder.ts';
import { eventually } from '../harness/eventually.ts';
import { IngestWorld } from '../harness/ingest-world.ts';
import { CameraServer, type Credentials, hasRtspServer } from '../harness/rtsp-server.ts';
import type { ServiceProcess } from '../harness/service-process.ts';

const RATE = 20;
const GOP_MS = 1_000;
const BACKOFF_MAX_MS = 1_000;
const CONNECTIONS_PER_HOST = 4;
const REMOVED_MS = 30_000;
const BYSTANDERS = ['bystander0', 'bystander1'];
const SECRET = 'h4mster';
/** Twenty decoders and twenty encoders start on whatever processors there are. */
const MANY_MS = 100_000;

let world: IngestWorld;
let ingest: ServiceProcess;
let recorder: CameraRecorder;
/** The one that is broken, and the one that stays whole. */
let broken: CameraServer;
let whole: CameraServer;
/** From the adding of a stream to its first frame while nothing is wrong: claim, probing, decoder, key picture. */
let startMs: number;
let testStartedAtMs: number;

const play = (stream: string, server: CameraServer, camera: number, credentials?: Credentials): Promise<void> =>
  world.play(stream, server.url(camera, credentials), { mode: 'realtime', pixelFormat: 'gray' });

async function playing(stream: string, camera: number, limitMs?: number): Promise<RecordedFrame> {
  await play(stream, broken, camera);
  return recorder.nextFrame(stream, limitMs);
}

const runOf = async (stream: string): Promise<Run | undefined> => (await world.runs.get(stream))?.value;

/** How often this stream's source came into this state for this reason. */
async function changes(stream: string, state: string, reason: string): Promise<number> {
  const metrics = await (await fetch(`${ingest.addresses.http}/metrics`)).text();
  const lines = metrics.split('\n').filter((line) => line.startsWith('stream_infer_source_changes_total{'));
  const labels = [`stream="${stream}"`, `state="${state}"`, `reason="${reason}"`];
  const line = lines.find((text) => labels.every((label) => text.includes(label)));
  return Number(line?.split(' ').at(-1) ?? 0);
}

const wasIn = (stream: string, state: string, reason: string): Promise<number> =>
  eventually(`${stream} was ${state} for ${reason}`, async () => (await changes(stream, state, reason)) || undefined);

/** The next frame after a return comes in the next epoch, its n is later by the time that passed, and it does not take longer than it may. */
async function returns(stream: string, before: RecordedFrame, returnedAtMs: number, mostMs: number): Promise<void> {
  const frame = await eventually(`${stream} returns`, () =>
    recorder.frames(stream).find(({ epoch }) => epoch > before.epoch),
  );
  expect(frame.atMs - returnedAtMs).toBeLessThan(mostMs);
  const passed = ((frame.atMs - before.atMs) * RATE) / 1_000;
  expect(Math.abs(frame.n - before.n - passed)).toBeLessThan(2 * RATE);
  const numbers = recorder.frames(stream).map(({ n }) => n);
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  await recorder.until(stream, 'playing frames');
}

/** The longest wait, probing, and a key picture. */
const returnMs = (): number => BACKOFF_MAX_MS + startMs + GOP_MS;

const newest = (stream: string): RecordedFrame => recorder.frames(stream).at(-1) ?? { n: 0, epoch: 0, atMs: 0 };

/** Every frame in its place, and none much later than the one before it. */
function expectUndisturbed(stream: string, sinceMs: number): void {
  const frames = recorder.frames(stream).filter(({ atMs }) => atMs >= sinceMs);
  const steps = frames.slice(1).map(({ n }, i) => n - (frames[i]?.n ?? 0));
  const gapsMs = frames.slice(1).map(({ atMs }, i) => atMs - (frames[i]?.atMs ?? 0));
  expect(new Set(frames.map(({ epoch }) => epoch)).size).toBe(1);
  expect(new Set(steps)).toEqual(new Set([1]));
  expect(Math.max(...gapsMs)).toBeLessThan(1_000);
}

/** How many ffprobes ask this server at this moment. */
async function probesOf(url: string): Promise<number> {
  const { host } = new URL(url);
  const lines = (await readdir('/proc'))
    .filter((id) => Number(id) > 0)
    .map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => ''));
  return (await Promise.all(lines)).filter((line) => line.startsWith('ffprobe\0') && line.includes(host)).length;
}

describe.skipIf(!hasRtspServer)('a camera (gst-rtsp-server of the distribution)', () => {
  beforeAll(async () => {
    world = await IngestWorld.open();
    [broken, whole] = await Promise.all([
      CameraServer.start({ cameras: 20, rate: RATE, gop: RATE }),
      CameraServer.start({ cameras: BYSTANDERS.length, rate: RATE, gop: RATE }),
    ]);
    ingest = await world.ingest({
      BACKOFF_MAX_MS: String(BACKOFF_MAX_MS),
      CONNECTIONS_PER_HOST: String(CONNECTIONS_PER_HOST),
      OPEN_TIMEOUT_MS: '8000',
      STALL_MS: '3000',
      FROZEN_AFTER_MS: '1500',
    });
    recorder = new CameraRecorder(world);
    const startedAtMs = performance.now();
    await play(BYSTANDERS[0] ?? '', whole, 0);
    startMs = (await recorder.nextFrame(BYSTANDERS[0] ?? '')).atMs - startedAtMs;
    await play(BYSTANDERS[1] ?? '', whole, 1);
    await recorder.nextFrame(BYSTANDERS[1] ?? '');
  });
  afterAll(async () => {
    recorder?.close();
    await world?.close();
    await Promise.all([broken?.stop(), whole?.stop()]);
  });
  beforeEach(() => {
    testStartedAtMs = performance.now();
  });
  afterEach(async () => {
    for (const stream of BYSTANDERS) expectUndisturbed(stream, testStartedAtMs);
    for (const { key } of await world.streams.entries()) if (!BYSTANDERS.includes(key)) await world.streams.delete(key);
  });

  test('whose server is killed: ended, then refused, and back with the server', async () => {
    const first = await playing('killed', 0);
    await broken.kill();
    await wasIn('killed', 'reconnecting', 'ended');
    await recorder.until('killed', 'reconnecting refused');
    const run = await runOf('killed');
    const before = newest('killed');
    await broken.restart();
    await returns('killed', before, performance.now(), returnMs());
    expect(before.epoch).toBe(first.epoch);
    expect((await runOf('killed'))?.run).toBe(run?.run);
  });

  test('whose path is removed: not found, and back with the path', async () => {
    await playing('removed', 1);
    await broken.remove(1);
    await recorder.until('removed', 'reconnecting not-found');
    // Attempt after attempt: none of them changes what is told.
    const told = await changes('removed', 'reconnecting', 'not-found');
    await new Promise((resolve) => setTimeout(resolve, REMOVED_MS));
    expect(recorder.condition('removed')).toBe('reconnecting not-found');
    expect(await changes('removed', 'reconnecting', 'not-found')).toBe(told);
    const before = newest('removed');
    await broken.restore(1);
    await returns('removed', before, performance.now(), returnMs());
  });

  test('with a wrong password: unauthorized, tried once and not hammered, and playing when told the right one (I8)', async () => {
    const right = { user: 'camera', password: `${SECRET}-right` };
    await broken.setCredentials(right);
    await play('locked', broken, 2, { ...right, password: `${SECRET}-wrong` });
    await recorder.until('locked', 'reconnecting unauthorized');
    const { host } = new URL(broken.url(2));
    for (let look = 0; look < 40; look += 1) {
      expect(await probesOf(`rtsp://${host}`)).toBe(0);
      await new Promise((resolve) => setTimeout(resolve, 3 * (BACKOFF_MAX_MS / 40)));
    }
    await play('locked', broken, 2, right);
    await recorder.nextFrame('locked');
    await recorder.until('locked', 'playing frames');
    expect(ingest.log()).not.toContain(SECRET);
    await broken.setCredentials(undefined);
  });

  test('with a frozen picture: an alarm while it plays on, and over with the first change', async () => {
    const { epoch } = await playing('frozen', 3);
    await broken.setFrozen(3, true);
    await recorder.until('frozen', 'playing frozen-picture');
    await recorder.nextFrame('frozen');
    await broken.setFrozen(3, false);
    await recorder.until('frozen', 'playing frames');
    expect(newest('frozen').epoch).toBe(epoch);
    expectUndisturbed('frozen', testStartedAtMs);
  });

  test('that sends nothing on an open connection: stalled, then lost for it, and back when it sends', async () => {
    await playing('silent', 4);
    await broken.setMuted(4, true);
    await recorder.until('silent', 'stalled no-frames');
    await wasIn('silent', 'reconnecting', 'no-frames');
    const before = newest('silent');
    await broken.setMuted(4, false);
    // An attempt that was begun in silence may have to come to its time limit first.
    await returns('silent', before, performance.now(), returnMs() + 8_000);
  });

  test('whose server hangs: stalled, lost, not answered; and back when it goes on', async () => {
    await playing('hung', 5);
    broken.suspend();
    await recorder.until('hung', 'stalled no-frames');
    await wasIn('hung', 'reconnecting', 'no-frames');
    await recorder.until('hung', 'reconnecting timeout');
    const before = newest('hung');
    broken.resume();
    await returns('hung', before, performance.now(), returnMs() + 8_000);
  });

  test(
    'is one of twenty that return at once: four at a time are asked, and all are back',
    async () => {
      const streams = Array.from({ length: 20 }, (_, camera) => `cam${camera}`);
      await Promise.all(streams.map((stream, camera) => playing(stream, camera, MANY_MS)));
      await broken.kill();
      await Promise.all(streams.map((stream) => recorder.until(stream, 'reconnecting refused')));
      const before = new Map(streams.map((stream) => [stream, newest(stream).epoch]));
      const host = broken.url(0);
      await broken.restart();
      const areBack = (): boolean => streams.every((stream) => newest(stream).epoch > (before.get(stream) ?? 0));
      let most = 0;
      await eventually(
        'all are back',
        async () => {
          most = Math.max(most, await probesOf(host));
          return areBack();
        },
        MANY_MS,
      );
      expect(most).toBeGreaterThan(1);
      expect(most).toBeLessThanOrEqual(CONNECTIONS_PER_HOST);
      await Promise.all(streams.map((stream) => recorder.until(stream, 'playing frames')));
    },
    3 * MANY_MS,
  );
});
