import { openBucket } from '@stream-infer/bus/bucket';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { busErrorKind } from '@stream-infer/bus/bus-error';
import { fetchFrame } from '@stream-infer/bus/frame-fetcher';
import type { FrameHeader } from '@stream-infer/bus/frame-headers';
import { type ReadFrame, readFrames } from '@stream-infer/bus/frame-reader';
import {
  createFrameBuffer,
  deleteFrameBuffer,
  frameBufferState,
  publishFrame,
  purgeFrameBuffer,
} from '@stream-infer/bus/frame-stream';
import { resultProgress } from '@stream-infer/bus/result-progress';
import { ensureResultStream, lastResult, publishResult } from '@stream-infer/bus/result-stream';
import { trimResults } from '@stream-infer/bus/result-trim';
import { openSnapshots } from '@stream-infer/bus/snapshots';
import { bucketStream } from '@stream-infer/bus/topology';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startNatsServer, type TestNatsServer } from '../harness/nats-server.ts';

let server: TestNatsServer;
let bus: Bus;
beforeAll(async () => {
  server = await startNatsServer();
  bus = await connectBus({ url: server.url, prefix: 'test', name: 'bus-test' });
});
afterAll(async () => {
  await bus?.close();
  await server?.stop();
});

const header = (n: number): FrameHeader => ({
  kind: 'frame',
  run: 'r1',
  epoch: 1,
  n,
  previous: n - 1,
  sourceIndex: n - 1,
  presentationTimeUs: n * 33_333,
  capturedAtMs: 0,
  ageMs: 0,
  size: { width: 4, height: 2 },
  pixelFormat: 'gray',
  encoding: 'raw',
  sourceSize: { width: 8, height: 4 },
});

describe('a frame buffer', () => {
  test('hands out headers in order, bytes by reference, and refuses when full until it is purged', async () => {
    const buffer = { stream: 'cam', epoch: 1, mode: 'offline', capacity: 4, bytesPerFrame: 8 } as const;
    const name = await createFrameBuffer(bus, buffer);
    let stored = 0;
    const full = await (async () => {
      for (let n = 1; n < 1000; n += 1) {
        try {
          await publishFrame(bus, header(n), 'cam', new Uint8Array(8).fill(n), n);
          stored = n;
        } catch (error) {
          return busErrorKind(error);
        }
      }
      return undefined;
    })();
    expect(full).toBe('full');
    expect(stored).toBeGreaterThanOrEqual(4);

    const stop = new AbortController();
    const seen: ReadFrame[] = [];
    for await (const frame of readFrames(bus, {
      replica: 'me',
      stream: 'cam',
      epoch: 1,
      from: 1,
      signal: stop.signal,
    })) {
      seen.push(frame);
      if (seen.length === stored) stop.abort();
    }
    expect(seen.map((frame) => frame.sequence)).toEqual(Array.from({ length: stored }, (_, i) => i + 1));
    expect(seen[1]?.header).toEqual(header(2));

    const fetched = await fetchFrame(bus, name, 3);
    expect(fetched.header.n).toBe(3);
    expect([...fetched.data]).toEqual(Array(8).fill(3));

    await purgeFrameBuffer(bus, name, 3);
    expect((await frameBufferState(bus, name)).firstSequence).toBe(3);
    await expect(fetchFrame(bus, name, 2)).rejects.toMatchObject({ code: 'FRAME_GONE' });
    await publishFrame(bus, header(stored + 1), 'cam', new Uint8Array(8), stored + 1);
    await expect(
      publishFrame(bus, header(9), 'cam', new Uint8Array(8), 2).catch((e: unknown) => {
        throw new Error(busErrorKind(e));
      }),
    ).rejects.toThrow('wrong-sequence');
    await deleteFrameBuffer(bus, name);
    await deleteFrameBuffer(bus, name);
    // An old server leaves a request to a stream that is not there unanswered; a new one says so.
    await expect(fetchFrame(bus, name, 3)).rejects.toMatchObject({
      code: expect.stringMatching(/^(FRAME_GONE|BUS_FAILED)$/),
    });
  });
});

test('a buffer larger than the memory of the bus is refused with what it needs', async () => {
  const buffer = { stream: 'huge', epoch: 1, mode: 'offline', capacity: 1_000_000, bytesPerFrame: 6_220_800 } as const;
  await expect(createFrameBuffer(bus, buffer)).rejects.toMatchObject({
    code: 'BUS_NO_ROOM',
    message: expect.stringMatching(/^stream huge needs \d+ MiB .* for 1000000 frames.*smaller width and height/),
  });
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('results', () => {
  test('are stored once and in order: a second writer is refused', async () => {
    await ensureResultStream(bus, { maxBytes: 1 << 20 });
    await ensureResultStream(bus, { maxBytes: 1 << 20 });
    const place = { stream: 'cam', run: 'r1', algorithm: 'faces' };
    expect(await lastResult(bus, place)).toEqual({ sequence: 0, n: 0, token: 0 });
    const totals = { triggered: 1, completed: 1, failed: 0, dropped: {} };
    const first = await publishResult(bus, place, bytes('{"n":1}'), { after: 0, totals, token: 7 });
    await publishResult(bus, place, bytes('{"n":2}'), { after: first, totals, token: 7 });
    await expect(publishResult(bus, place, bytes('{"n":2}'), { after: first, totals, token: 8 })).rejects.toSatisfy(
      (e) => busErrorKind(e) === 'wrong-sequence',
    );
    expect(await lastResult(bus, place)).toEqual({ sequence: first + 1, n: 2, token: 7, totals });
  });

  test('tell how far an algorithm has come; one with memory that is played offline goes on behind its snapshot', async () => {
    await ensureResultStream(bus, { maxBytes: 1 << 20 });
    const snapshots = await openSnapshots(bus);
    const totals = { triggered: 1, completed: 1, failed: 0, dropped: {} };
    const runsAfter = async (algorithm: string, mode: 'offline' | 'realtime') =>
      (await resultProgress(bus, snapshots, { stream: 'cam', run: 'r2', algorithm }, mode)).runsAfter;
    for (const [algorithm, remembers] of [
      ['faces', false],
      ['tracks', true],
    ] as const) {
      const place = { stream: 'cam', run: 'r2', algorithm };
      expect(await runsAfter(algorithm, 'offline')).toBe(0);
      await publishResult(bus, place, bytes('{"n":9}'), { after: 0, totals, token: 7, remembers });
    }
    expect([await runsAfter('faces', 'offline'), await runsAfter('tracks', 'offline')]).toEqual([9, 0]);
    await snapshots.put({ stream: 'cam', run: 'r2', algorithm: 'tracks' }, { n: 6, bytes: bytes('it') });
    expect([await runsAfter('tracks', 'offline'), await runsAfter('tracks', 'realtime')]).toEqual([6, 9]);
  });

  test('are trimmed before a sequence, and nothing is before the first (EX-7)', async () => {
    const place = { stream: 'cam', run: 'r1', algorithm: 'faces' };
    const subject = bus.topology.resultSubject('cam', 'r1', 'faces');
    const { sequence } = await lastResult(bus, place);
    expect(await trimResults(bus, subject, 1)).toBe(0);
    expect(await trimResults(bus, subject, sequence)).toBe(1);
    expect((await lastResult(bus, place)).sequence).toBe(sequence);
  });
});

describe('a bucket', () => {
  test('tells what stands in it, then that this is all, then what changes; revisions fence', async () => {
    const bucket = await openBucket<{ v: number }>(bus, 'test_things');
    const revision = await bucket.create('a', { v: 1 });
    expect(revision).toBeGreaterThan(0);
    expect(await bucket.create('a', { v: 2 })).toBeUndefined();
    expect(await bucket.update('a', { v: 2 }, (revision ?? 0) + 7)).toBeUndefined();
    const stop = new AbortController();
    const seen: string[] = [];
    for await (const change of bucket.watch(stop.signal)) {
      seen.push(change.kind === 'current' ? 'current' : `${change.kind} ${change.key}`);
      if (change.kind === 'current') await bucket.put('b', { v: 3 });
      if (seen.length === 3) await bucket.delete('a');
      if (seen.length === 4) stop.abort();
    }
    expect(seen).toEqual(['put a', 'current', 'put b', 'deleted a']);
    expect((await bucket.entries()).map((entry) => entry.key)).toEqual(['b']);
  });

  test('forgets in time that there were keys which are deleted, and nothing that was put there since', async () => {
    const bucket = await openBucket<{ v: number }>(bus, 'test_forgotten');
    for (const key of ['a', 'b', 'c']) await bucket.put(key, { v: 1 });
    for (const key of ['a', 'b']) await bucket.delete(key);
    const markers = async (): Promise<number> =>
      (await bus.manager.streams.info(bucketStream('test_forgotten'))).state.messages;
    expect([await bucket.forgetDeleted(), await markers()]).toEqual([0, 3]);
    await bucket.put('b', { v: 2 });
    expect([await bucket.forgetDeleted(), await markers()]).toEqual([1, 2]);
    expect((await bucket.entries()).map(({ key, value }) => [key, value.v])).toEqual([
      ['b', 2],
      ['c', 1],
    ]);
    expect(await bucket.create('a', { v: 3 })).toBeGreaterThan(0);
  });
});

describe('what is made while another stream has its subjects', () => {
  let late: Bus;
  const squat = (subject: string): Promise<unknown> =>
    bus.manager.streams.add({ name: 'SQUATTER', subjects: [subject], num_replicas: 1 });
  beforeAll(async () => {
    late = await connectBus({ url: server.url, prefix: 'late', name: 'bus-test' });
  });
  afterAll(() => late?.close());

  test.each([
    ['RESULTS', 'late.results.>', () => ensureResultStream(late, { maxBytes: 1 << 20 })],
    ['a bucket', '$KV.late_runs.>', () => openBucket(late, 'late_runs')],
  ])('is made once that is gone: %s', async (_what, subject, make) => {
    await squat(subject);
    const made = make();
    await new Promise((resolve) => setTimeout(resolve, 300));
    await bus.manager.streams.delete('SQUATTER');
    await made;
  });

  test('is refused where that stays, and what to do is told', async () => {
    await squat('$KV.late_members.>');
    await expect(openBucket(late, 'late_members')).rejects.toMatchObject({
      ...{ code: 'BUS_FAILED', message: expect.stringMatching(/^stream late_members .*natsPrefix/) },
    });
    await bus.manager.streams.delete('SQUATTER');
  });
});
