/** The live feed: filters, heartbeats, slow clients. Resuming across a crash is in collector-crash.test.ts. */

import { connect } from 'node:net';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { ensureResultStream } from '@stream-infer/bus/result-stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  ended,
  listen,
  publishEnd,
  residentMiB,
  seriesPublisher,
  startCollector,
  type TestCollector,
  testRecord,
} from '../harness/collector.ts';
import { eventually } from '../harness/eventually.ts';
import { startNatsServer, type TestNatsServer } from '../harness/nats-server.ts';
import { describeStores, type TestStore } from '../harness/stores.ts';

describeStores(({ create }) => {
  let server: TestNatsServer;
  let bus: Bus;
  let store: TestStore;
  let collector: TestCollector;
  let events: string;

  beforeAll(async () => {
    server = await startNatsServer();
    store = await create();
    bus = await connectBus({ url: server.url, prefix: 'stream-infer', name: 'collector-events-test' });
    await ensureResultStream(bus, { maxBytes: 1 << 29 });
    collector = await startCollector({ NATS_URL: server.url, ...store.environment });
    events = `${collector.addresses.api}/v1/events`;
  });
  afterAll(async () => {
    await collector?.stop();
    await bus?.close();
    await server?.stop();
    await store?.remove();
  });

  async function publish(stream: string, algorithm: string, from: number, to: number, data = ''): Promise<void> {
    const place = { stream, run: `r${from}`, algorithm };
    const publishing = seriesPublisher(bus, place);
    for (let n = from; n <= to; n += 1) await publishing(testRecord(place, n, { data: { n, data } }));
  }

  const numbers = (client: { readonly events: readonly { readonly data: object }[] }): unknown[] =>
    client.events.map(({ data }) => ('n' in data ? data.n : 'end'));

  test('clients that come and go while results arrive miss nothing and get nothing twice', async () => {
    const publishing = publish('cam', 'faces', 1, 1_500);
    const seen: unknown[] = [];
    let last = 0;
    while (seen.length < 1_500) {
      const client = await listen(`${events}?stream=cam&after=0`, last);
      const wanted = Math.min(100, 1_500 - seen.length);
      await eventually('some events', () => client.events.length >= wanted);
      await client.close();
      seen.push(...numbers(client));
      last = client.events.at(-1)?.id ?? last;
    }
    await publishing;
    expect(seen).toEqual(Array.from({ length: 1_500 }, (_, index) => index + 1));
  });

  test('a client gets what is new only, unless it says where to begin; and what it asks for only', async () => {
    await publish('old', 'faces', 1, 5);
    await publishEnd(bus, 'old', 'r1');
    await ended(collector, 'old');
    const all = await listen(`${events}?stream=old&after=0`);
    const faces = await listen(`${events}?stream=old&algorithm=faces`);
    const fresh = await listen(events);
    await publish('old', 'stats', 6, 7);
    await publish('old', 'faces', 8, 9);
    await publish('other', 'faces', 1, 1);
    await publishEnd(bus, 'old', 'r8');
    await eventually(
      'every event',
      () => all.events.length === 11 && faces.events.length === 3 && fresh.events.length === 6,
    );
    for (const client of [all, faces, fresh]) await client.close();
    expect(numbers(all)).toEqual([1, 2, 3, 4, 5, 'end', 6, 7, 8, 9, 'end']);
    expect(numbers(faces)).toEqual([8, 9, 'end']);
    expect(numbers(fresh)).toEqual([6, 7, 8, 9, 1, 'end']);
    // An id that this store has not reached is of another store: everything is new.
    const stray = await listen(`${events}?stream=other`, 1_000_000);
    await eventually('the only event', () => stray.events.length === 1);
    await stray.close();
  });

  test('comments come while nothing happens, and the number of clients is measured', async () => {
    await eventually('no client', async () => (await collector.metric('stream_infer_event_clients')) === 0, 2_000);
    const client = await listen(events);
    expect(await collector.metric('stream_infer_event_clients')).toBe(1);
    await eventually('a comment', () => client.comments() > 0);
    await client.close();
    await eventually('no client', async () => (await collector.metric('stream_infer_event_clients')) === 0, 2_000);
  });

  test('a client that reads nothing costs no memory and is disconnected', { timeout: 90_000 }, async () => {
    await publish('big', 'faces', 1, 120, 'x'.repeat(900_000));
    const before = await residentMiB(collector.process.pid);
    const { hostname, port } = new URL(events);
    const sockets = Array.from({ length: 10 }, () => {
      const socket = connect({ host: hostname, port: Number(port) });
      socket.pause();
      socket.write(`GET /v1/events?stream=big&after=0 HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
      return socket;
    });
    await eventually('ten clients', async () => (await collector.metric('stream_infer_event_clients')) === 10);
    await eventually('no client', async () => (await collector.metric('stream_infer_event_clients')) === 0, 60_000);
    expect(await collector.metric('stream_infer_dropped_event_clients_total')).toBe(10);
    // Each has 108 MB to read.
    expect((await residentMiB(collector.process.pid)).most - before.most).toBeLessThan(250);
    for (const socket of sockets) socket.destroy();
  });
});
