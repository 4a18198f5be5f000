/** Publishing on a bus that refuses, stalls and goes away: every frame once, in order, or a counted drop. */

import { type Bus, connectBus } from '@stream-infer/bus/bus';
import type { BusErrorKind } from '@stream-infer/bus/bus-error';
import { fetchFrame } from '@stream-infer/bus/frame-fetcher';
import {
  createFrameBuffer,
  deleteFrameBuffer,
  type FrameBuffer,
  frameBufferState,
  purgeFrameBuffer,
} from '@stream-infer/bus/frame-stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FramePublisher, type OutgoingFrame } from '../../services/ingest/src/frame-publisher.ts';
import { eventually } from '../harness/eventually.ts';
import { settled } from '../harness/ingest-world.ts';
import { startNatsServer, type TestNatsServer } from '../harness/nats-server.ts';
import { type StallingProxy, startProxy } from '../harness/stalling-proxy.ts';

const BYTES = 100_000;

let server: TestNatsServer;
/** The publisher's own connection, through the proxy; `direct` is everybody else's. */
let proxy: StallingProxy;
let bus: Bus;
let direct: Bus;
let publisher: FramePublisher | undefined;
beforeEach(async () => {
  server = await startNatsServer();
  proxy = await startProxy(Number(new URL(server.url.replace('nats:', 'http:')).port));
  bus = await connectBus({ url: `nats://${proxy.address}`, prefix: 'test', name: 'publisher' });
  direct = await connectBus({ url: server.url, prefix: 'test', name: 'test' });
});
afterEach(async () => {
  await publisher?.close();
  publisher = undefined;
  await Promise.all([bus?.close(), direct?.close()]);
  await proxy?.close();
  await server?.stop();
});

const frame = (n: number): OutgoingFrame => ({
  header: {
    n,
    sourceIndex: n - 1,
    presentationTimeUs: n,
    capturedAtMs: 0,
    size: { width: 1, height: 1 },
    pixelFormat: 'gray',
    encoding: 'raw',
    sourceSize: { width: 1, height: 1 },
  },
  data: new Uint8Array(BYTES).fill(n),
  arrivedAtMs: performance.now(),
});

type Publishing = {
  name: string;
  stored: number[];
  dropped: number[];
  discarded: number[];
  retried: BusErrorKind[];
  publisher: FramePublisher;
};

/** @param believed the capacity that the publisher is told, where it is not the buffer's. */
async function publishing(buffer: Partial<FrameBuffer>, believed?: number): Promise<Publishing> {
  const made = { stream: 'cam', epoch: 1, mode: 'offline', capacity: 10, bytesPerFrame: BYTES, ...buffer } as const;
  const name = await createFrameBuffer(direct, made);
  const [stored, dropped, discarded, retried]: [number[], number[], number[], BusErrorKind[]] = [[], [], [], []];
  publisher = new FramePublisher({
    bus,
    stream: 'cam',
    run: 'r',
    epoch: 1,
    frames: name,
    mode: made.mode,
    capacity: believed ?? made.capacity,
    listener: {
      stored: ({ header }) => stored.push(header.n),
      dropped: ({ header }) => dropped.push(header.n),
      discarded: ({ header }) => discarded.push(header.n),
      retried: (why) => retried.push(why),
    },
  });
  return { name, stored, dropped, discarded, retried, publisher };
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, i) => i + 1);
const nothing = { lastPlayed: 0, decoded: 0, played: 0, published: 0 };
const stateOf = (name: string) => frameBufferState(direct, name);

async function offerAll(to: FramePublisher, last: number): Promise<void> {
  for (const n of upTo(last)) await to.offer(frame(n));
  await to.finish(() => ({ ...nothing, lastPublished: to.lastPublished }));
}

/** The numbers that the buffer holds, by sequence, without the newest message, which may be the end marker. */
async function held(name: string): Promise<number[]> {
  return await numbersIn(name, await stateOf(name));
}

async function numbersIn(name: string, state: Awaited<ReturnType<typeof stateOf>>): Promise<number[]> {
  const { firstSequence, lastSequence } = state;
  const numbers: number[] = [];
  for (let sequence = firstSequence; sequence < lastSequence; sequence += 1) {
    const { header, data } = await fetchFrame(direct, name, sequence);
    expect(data[BYTES - 1]).toBe(header.n % 256);
    numbers.push(header.n);
  }
  return numbers;
}

describe('offline every frame is stored once, in order', () => {
  test('where the buffer is smaller than was thought, and refuses (F-9)', async () => {
    const { publisher: to, name, stored, retried } = await publishing({ capacity: 5 }, 100);
    const offering = offerAll(to, 40);
    const seen: number[] = [];
    while (seen.length < 40) {
      await settled(async () => (await stateOf(name)).lastSequence, 50);
      const state = await stateOf(name);
      seen.push(...(await numbersIn(name, state)));
      // What came meanwhile stays, as the newest does.
      await purgeFrameBuffer(direct, name, state.lastSequence);
    }
    await offering;
    expect(retried).toContain('full');
    expect(stored).toEqual(upTo(40));
    expect((await stateOf(name)).lastSequence).toBe(41);
  });

  test('where answers are lost, so that what was stored is refused when it is sent again (F-3)', async () => {
    const { publisher: to, name, stored, retried } = await publishing({ capacity: 100 });
    for (const n of upTo(10)) await to.offer(frame(n));
    proxy.stall();
    const rest = (async () => {
      for (let n = 11; n <= 60; n += 1) await to.offer(frame(n));
      await to.finish(() => ({ ...nothing, lastPublished: to.lastPublished }));
    })();
    await eventually('a time-out', () => retried.length > 0);
    proxy.flow();
    proxy.cut();
    await rest;
    expect(stored).toEqual(upTo(60));
    expect(await held(name)).toEqual(upTo(60));
    expect(to.published).toBe(60);
  });

  test('where somebody else writes, not at all: a second writer is a fault (F-3)', async () => {
    const { publisher: to, name } = await publishing({ capacity: 100 });
    await to.offer(frame(1));
    await eventually('the first', async () => (await stateOf(name)).lastSequence === 1);
    for (let i = 0; i < 20; i += 1)
      await direct.jetstream.publish(direct.topology.framesSubject('cam', 1), new Uint8Array(1));
    await expect(offerAll(to, 30)).rejects.toMatchObject({
      code: 'BUS_FAILED',
      message: expect.stringContaining('another writer'),
    });
  });

  test('where the buffer is gone, not at all: that is a fault, not a wait', async () => {
    const { publisher: to, name } = await publishing({ capacity: 3 });
    for (const n of upTo(3)) await to.offer(frame(n));
    await eventually('three', async () => (await stateOf(name)).lastSequence === 3);
    await deleteFrameBuffer(direct, name);
    await expect(offerAll(to, 5)).rejects.toMatchObject({
      code: 'BUS_FAILED',
      message: expect.stringContaining('the frame buffer is gone'),
    });
  });
});

test('in realtime a bus that stalls holds nobody up: the oldest waiting frames are dropped, counted and few are held (I3)', async () => {
  const { publisher: to, name, stored, dropped } = await publishing({ mode: 'realtime', capacity: 100 });
  for (const n of upTo(10)) await to.offer(frame(n));
  await eventually('ten', () => stored.length === 10);
  proxy.stall();
  const startedAtMs = performance.now();
  for (let n = 11; n <= 200; n += 1) await to.offer(frame(n));
  expect(performance.now() - startedAtMs).toBeLessThan(1_000);
  expect(dropped.length).toBeGreaterThan(100);
  proxy.flow();
  proxy.cut();
  await to.finish(() => ({ ...nothing, lastPublished: to.lastPublished }));
  expect([...stored, ...dropped].sort((a, b) => a - b)).toEqual(upTo(200));
  expect(stored).toEqual([...stored].sort((a, b) => a - b));
  expect(stored.at(-1)).toBe(200);
  expect((await held(name)).at(-1)).toBe(200);
});
