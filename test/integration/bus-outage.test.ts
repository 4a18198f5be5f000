/** What the bus does about a server that demands credentials, that goes away and comes again, and about messages that are none. */

import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onReleased } from '@stream-infer/bus/announcements';
import { openBucket } from '@stream-infer/bus/bucket';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { bucketStream } from '@stream-infer/bus/topology';
import { spawnOwned } from '@stream-infer/service-kit/owned-process';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventually } from '../harness/eventually.ts';

let directory: string;
let port: number;
let server: ChildProcess | undefined;
let bus: Bus | undefined;

const connect = (credentials = 'me:p%40ss@'): Promise<Bus> =>
  connectBus({ url: `nats://${credentials}127.0.0.1:${port}`, prefix: 'test', name: 'test' });

function startServer(): void {
  const address = ['-a', '127.0.0.1', '-p', String(port)];
  server = spawnOwned('nats-server', [...address, '-js', '-sd', directory, '--user', 'me', '--pass', 'p@ss'], {
    stdio: 'ignore',
  });
}

async function stopServer(): Promise<void> {
  const stopped = server;
  server = undefined;
  if (stopped === undefined || stopped.exitCode !== null || stopped.signalCode !== null) return;
  const exited = new Promise((resolve) => stopped.once('exit', resolve));
  stopped.kill('SIGKILL');
  await exited;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-test-outage-'));
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  port = (probe.address() as { port: number }).port;
  await new Promise((resolve) => probe.close(resolve));
});
beforeEach(async () => {
  startServer();
  await eventually('it is connected', async () => {
    bus = await connect().catch(() => undefined);
    return bus !== undefined;
  });
});
afterEach(async () => {
  await bus?.close();
  await stopServer();
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test('credentials in the URL are those of the connection; wrong ones are told of, and not quoted (I8)', async () => {
  expect(bus?.isConnected).toBe(true);
  await expect(connect('me:wr0ng@')).rejects.toMatchObject({
    code: 'NATS_UNAUTHORIZED',
    message: expect.stringMatching(/^the NATS server at nats:\/\/127\.0\.0\.1:\d+ refuses user me of the URL: /),
  });
});

test('a watch goes on as soon as a server that was away is there again (D12)', async () => {
  if (!bus) throw new Error('no bus');
  const bucket = await openBucket<number>(bus, 'test_things');
  await bucket.put('a', 1);
  const stop = new AbortController();
  const seen: string[] = [];
  const watching = (async () => {
    for await (const change of bucket.watch(stop.signal))
      seen.push(change.kind === 'put' ? `${change.key} ${change.value}` : change.kind);
  })();
  await eventually('it is current', () => seen.includes('current'));
  await stopServer();
  await eventually('the outage is noticed', () => bus?.isConnected === false);
  startServer();
  await eventually('it is connected again', () => bus?.isConnected === true);
  const connectedAtMs = performance.now();
  await eventually('a change is written', () =>
    bucket.put('a', 2).then(
      () => true,
      () => false,
    ),
  );
  await eventually('the change is told', () => seen.includes('a 2'));
  // The client's own notice takes two heartbeats of five seconds.
  expect(performance.now() - connectedAtMs).toBeLessThan(5_000);
  stop.abort();
  await watching;
  expect(seen.filter((change) => change === 'current')).toHaveLength(1);
});

test('what was deleted and forgotten while a watcher was away is told of as deleted', async () => {
  if (!bus) throw new Error('no bus');
  const bucket = await openBucket<number>(bus, 'test_away');
  await bucket.put('a', 1);
  await bucket.put('b', 1);
  const stop = new AbortController();
  const seen: string[] = [];
  const watching = (async () => {
    for await (const change of bucket.watch(stop.signal))
      seen.push(change.kind === 'current' ? 'current' : `${change.kind} ${change.key}`);
  })();
  await eventually('it is current', () => seen.includes('current'));
  // As if by others, before it hears of anything.
  await bus.manager.streams.purge(bucketStream('test_away'), { filter: '$KV.test_away.a' });
  await stopServer();
  await eventually('the outage is noticed', () => bus?.isConnected === false);
  startServer();
  await eventually('the deletion is told', () => seen.includes('deleted a'));
  stop.abort();
  await watching;
  expect(seen).toEqual(['put a', 'put b', 'current', 'put b', 'deleted a']);
});

test('what is no JSON is passed over, in a bucket and in an announcement', async () => {
  if (!bus) throw new Error('no bus');
  const bucket = await openBucket<number>(bus, 'test_garbled');
  bus.connection.publish('$KV.test_garbled.bad', '{');
  await bucket.put('good', 1);
  const stop = new AbortController();
  const seen: string[] = [];
  for await (const change of bucket.watch(stop.signal)) {
    seen.push(change.kind === 'current' ? 'current' : `${change.kind} ${change.key}`);
    if (change.kind === 'current') stop.abort();
  }
  expect(seen).toEqual(['put good', 'current']);
  expect(await bucket.get('bad')).toBeUndefined();
  // The next who writes there mends it.
  expect(await bucket.create('bad', 2)).toBeGreaterThan(0);
  expect(await bucket.get('bad')).toMatchObject({ value: 2 });

  const heard: number[] = [];
  const unsubscribe = onReleased(bus, 'cam', ({ through }) => heard.push(through));
  bus.connection.publish(bus.topology.releasedSubject('cam'), 'no JSON');
  bus.connection.publish(bus.topology.releasedSubject('cam'), '{"run":"r","epoch":1,"through":7}');
  await eventually('the second is heard', () => heard.length > 0);
  expect(heard).toEqual([7]);
  unsubscribe();
});
