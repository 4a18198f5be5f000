/** What lives in nats-server, as its profiler tells it: what is left behind shows, and how much was written does not. */

import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { createFrameBuffer } from '@stream-infer/bus/frame-stream';
import { openRuns } from '@stream-infer/bus/registry';
import { ensureResultStream } from '@stream-infer/bus/result-stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { busHeap } from '../harness/bus-heap.ts';
import { goHeapOf } from '../harness/go-heap.ts';
import { startNatsServer, type TestNatsServer } from '../harness/nats-server.ts';

/** Of nats-server 2.9.10, without most of its stacks and pauses. */
const PROFILE = `heap profile: 7: 27024 [116: 685536] @ heap/1048576
3: 19584 [4: 26112] @ 0x94e7ce 0x7acd8c 0x7aceda 0x842486
#	0x94e7cd	github.com/nats-io/nats-server/server.(*Server).createInternalClient+0xad		github.com/nats-io/nats-server/server/server.go:1324
#	0x7acd8b	github.com/nats-io/nats-server/server.(*Server).createInternalJetStreamClient+0x9ab	github.com/nats-io/nats-server/server/server.go:1310

0: 0 [1: 9472] @ 0x828aa5 0x82d27e
#	0x828aa4	github.com/nats-io/nats-server/server.(*Server).jsonResponse+0xc4		github.com/nats-io/nats-server/server/jetstream_api.go:1242


# runtime.MemStats
# Alloc = 3057568
# TotalAlloc = 62948008
# Sys = 19772680
# Lookups = 0
# Mallocs = 541916
# Frees = 523791
# HeapAlloc = 3057568
# HeapSys = 7471104
# HeapIdle = 2686976
# HeapInuse = 4784128
# HeapReleased = 581632
# HeapObjects = 18125
# Stack = 917504 / 917504
# NextGC = 6460472
# PauseNs = [68943 119567 51146]
# NumForcedGC = 54
# MaxRSS = 21733376
`;

test('the counts are those of the runtime, and not what is sampled', () => {
  expect(goHeapOf(PROFILE)).toEqual({ bytes: 3_057_568, objects: 18_125 });
});

test('what is no profile, or one without the counts, is refused with what it is', () => {
  expect(() => goHeapOf('404 page not found')).toThrow(/HeapAlloc.*404 page not found/);
  expect(() => goHeapOf(PROFILE.replace('HeapObjects', 'Objects'))).toThrow(/no HeapObjects/);
});

const COUNT = 200;
/** Objects that come and go with the server's own work. */
const RESTLESS = 3 * COUNT;

let server: TestNatsServer;
let bus: Bus;
beforeAll(async () => {
  server = await startNatsServer({ profiled: true });
  bus = await connectBus({ url: server.url, prefix: 'site', name: 'test' });
  await ensureResultStream(bus, { maxBytes: 2 ** 26 });
  await makeBuffers('warm');
  await removeBuffers('warm');
});
afterAll(async () => {
  await bus?.close();
  await server?.stop();
});

const ids = (name: string): readonly string[] => Array.from({ length: COUNT }, (_, index) => `${name}${index}`);
async function makeBuffers(name: string): Promise<void> {
  for (const stream of ids(name))
    await createFrameBuffer(bus, { stream, epoch: 1, mode: 'realtime', capacity: 4, bytesPerFrame: 100 });
}
async function removeBuffers(name: string): Promise<void> {
  const streams = await bus.manager.streams.names().next();
  for (const stream of streams) if (stream.includes(`FRAMES_${name}`)) await bus.manager.streams.delete(stream);
}

/** By how many objects and bytes what lives grows. */
async function growth(work: () => Promise<unknown>): Promise<{ readonly bytes: number; readonly objects: number }> {
  const before = await busHeap(server, bus);
  await work();
  const after = await busHeap(server, bus);
  return { bytes: after.bytes - before.bytes, objects: after.objects - before.objects };
}

test('streams that are removed leave no objects; those that are left, and keys, several each', async () => {
  const removed = await growth(async () => {
    await makeBuffers('gone');
    await removeBuffers('gone');
  });
  const left = await growth(() => makeBuffers('left'));
  await openRuns(bus);
  const keys = await growth(async () => {
    for (const id of ids('key')) await bus.jetstream.publish(`$KV.${bus.topology.buckets.runs}.${id}`);
  });
  expect(removed.objects).toBeLessThan(RESTLESS);
  expect(left.objects).toBeGreaterThan(20 * COUNT);
  expect(keys.objects).toBeGreaterThan(2 * COUNT);
});

test('what is written is no object more, however much it is', async () => {
  const subject = bus.topology.resultSubject('gate', 'r1', 'faces');
  const { objects } = await growth(async () => {
    for (let n = 0; n < 10 * COUNT; n += 1) await bus.jetstream.publish(subject, 'x'.repeat(1_000));
  });
  expect(objects).toBeLessThan(RESTLESS);
});
