/** Several collectors that share a database: one stores at a time, every one of them answers and tells (I5, I8). */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  type EventClient,
  ended,
  listen,
  publishEnd,
  type StreamAnswer,
  seriesPublisher,
  type TestCollector,
  testRecord,
} from '../harness/collector.ts';
import { collectorWorld, RESULTS_BYTES } from '../harness/collector-world.ts';
import { eventually } from '../harness/eventually.ts';
import { hasPostgres, OWNER_PASSWORD, type PostgresServer, startPostgres } from '../harness/postgres-server.ts';

describe.skipIf(!hasPostgres)('collectors that share a database (postgresql of the distribution)', () => {
  let postgres: PostgresServer;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres?.stop());
  const world = collectorWorld(async () => ({
    environment: { STORE_URL: postgres.url(await postgres.createDatabase()) },
  }));
  afterEach(async () => {
    for (const { process: child, stop, log } of world.collectors) {
      child.kill('SIGCONT');
      await stop();
      expect(log()).not.toContain(OWNER_PASSWORD);
      expect(log()).not.toContain(encodeURIComponent(OWNER_PASSWORD));
    }
  });

  async function collector(more: Readonly<Record<string, string>> = {}): Promise<TestCollector> {
    const started = await world.collector(more);
    await eventually(
      'a collector that is ready',
      async () => (await fetch(`${started.addresses.http}/v2/health/ready`)).ok,
    );
    return started;
  }
  const isStoring = async (each: TestCollector): Promise<boolean> => (await each.metric('stream_infer_storing')) === 1;
  const events = (each: TestCollector, after = 0): Promise<EventClient> =>
    listen(`${each.addresses.api}/v1/events?after=${after}`);
  const idsOf = ({ events: told }: EventClient): number[] => told.map(({ id }) => id);

  async function publish(stream: string, from: number, to: number): Promise<void> {
    const place = { stream, run: `r${from}`, algorithm: 'faces' };
    const records = Array.from({ length: to - from + 1 }, (_, index) => testRecord(place, from + index));
    await seriesPublisher(world.bus, place)(...records);
  }
  const consumers = async (): Promise<(string | undefined)[]> => {
    const found: (string | undefined)[] = [];
    for await (const { config } of world.bus.manager.consumers.list(world.bus.topology.resultsStream))
      found.push(config.durable_name);
    return found;
  };

  test('one stores, through the one durable consumer; each tells every event under the same ids', async () => {
    const one = await collector();
    await eventually('that the first stores', () => isStoring(one));
    const two = await collector();
    const clients = [await events(one), await events(two)];
    await publish('cam', 1, 400);
    await publishEnd(world.bus, 'cam', 'r1');
    await eventually('every event at both', () => clients.every((client) => client.events.length === 401));
    expect(idsOf(clients[0] as EventClient)).toEqual(idsOf(clients[1] as EventClient));
    expect(clients[1]?.events).toEqual(clients[0]?.events);
    expect(await isStoring(two)).toBe(false);
    const found = await consumers();
    expect(found.filter((name) => name === world.bus.topology.collectorDurable)).toHaveLength(1);
    expect(found.filter((name) => name === undefined)).toHaveLength(2);
    expect(await two.text('/v1/streams/cam/results')).toBe(await one.text('/v1/streams/cam/results'));

    // A client that comes back to the other one misses nothing and gets nothing twice.
    for (const client of clients) await client.close();
    const last = clients[0]?.events[149]?.id ?? 0;
    const back = await listen(`${two.addresses.api}/v1/events`, last);
    await publish('yard', 1, 50);
    await eventually('what is behind it, and what is new', () => back.events.length === 251 + 50);
    await back.close();
    expect(idsOf(back)).toEqual(Array.from({ length: 301 }, (_, index) => last + 1 + index));
  });

  test('when the one that stores is killed the other goes on at once, and nothing is lost or stored twice', async () => {
    const one = await collector();
    await eventually('that the first stores', () => isStoring(one));
    const two = await collector();
    const client = await events(two);
    const publishing = publish('cam', 1, 3_000);
    await eventually('some results', async () => (await two.get<StreamAnswer>('/v1/streams/cam')).results > 300);
    await one.kill();
    await publishing;
    await publishEnd(world.bus, 'cam', 'r1');
    expect(await ended(two, 'cam')).toMatchObject({ results: 3_000 });
    await eventually('every event', () => client.events.length === 3_001);
    await client.close();
    expect(idsOf(client)).toEqual(idsOf(client).toSorted((a, b) => a - b));
    expect(new Set(idsOf(client)).size).toBe(3_001);
    await eventually('that the second stores', () => isStoring(two));
    // Stopped as told, it hands over before it is gone.
    const three = await collector();
    expect(await two.stop()).toBe(0);
    await publish('yard', 1, 10);
    await eventually('the ten', async () => (await three.get<StreamAnswer>('/v1/streams/yard')).results === 10);
  });

  test('one that stands still loses its turn, and stores nothing when it comes back', async () => {
    const one = await collector();
    await eventually('that the first stores', () => isStoring(one));
    const two = await collector();
    await publish('cam', 1, 100);
    process.kill(one.process.pid ?? 0, 'SIGSTOP');
    await publish('yard', 1, 500);
    await publishEnd(world.bus, 'yard', 'r1');
    expect(await ended(two, 'yard')).toMatchObject({ results: 500 });
    process.kill(one.process.pid ?? 0, 'SIGCONT');
    await publish('lane', 1, 100);
    await eventually('that it stands by', async () => !(await isStoring(one)));
    await eventually('a hundred more', async () => (await one.get<StreamAnswer>('/v1/streams/lane')).results === 100);
    expect(await isStoring(two)).toBe(true);
    expect(await two.metric('stream_infer_duplicate_results_total')).toBe(0);
    for (const [stream, results] of [
      ['cam', 100],
      ['yard', 500],
      ['lane', 100],
    ] as const)
      expect((await two.get<StreamAnswer>(`/v1/streams/${stream}`)).results).toBe(results);
  });

  test('the one that stores tells how full the bus is; one that lost its turn tells nothing of it any more', async () => {
    const limit = (each: TestCollector): Promise<number> =>
      each.metric('stream_infer_result_stream_bytes', 'kind="limit"');
    const one = await collector();
    await eventually('that the first tells', async () => (await limit(one)) === RESULTS_BYTES);
    const two = await collector();
    one.process.kill('SIGSTOP');
    await eventually('that the second tells', async () => (await limit(two)) === RESULTS_BYTES, 30_000);
    one.process.kill('SIGCONT');
    await eventually('that the first tells no more', async () => (await limit(one)) === 0, 30_000);
    expect(await limit(two)).toBe(RESULTS_BYTES);
  });

  test('one of them removes what is too old', async () => {
    const limits = { RETENTION_DAYS: String(3 / 86_400) };
    const both = [await collector(limits), await collector(limits)];
    await publish('cam', 1, 60);
    await publishEnd(world.bus, 'cam', 'r1');
    await ended(both[1] as TestCollector, 'cam');
    await eventually('an empty store', async () => {
      const { streams } = await (both[0] as TestCollector).get<{ streams: [] }>('/v1/streams');
      return streams.length === 0;
    });
    const removed = await Promise.all(both.map((each) => each.metric('stream_infer_removed_results_total', 'age')));
    expect(removed.toSorted((a, b) => a - b)).toEqual([0, 60]);
  });

  test('two that start at once make one schema, and installations in one database share nothing', async () => {
    const other = `other-${world.prefix}`;
    const [one, two, three] = await Promise.all([collector(), collector(), collector({ NATS_PREFIX: other })]);
    await publish('cam', 1, 5);
    await eventually('five', async () => (await one.get<StreamAnswer>('/v1/streams/cam')).results === 5);
    expect((await two.get<StreamAnswer>('/v1/streams/cam')).results).toBe(5);
    expect(await three.get('/v1/streams')).toEqual({ streams: [] });
    expect(await isStoring(three)).toBe(true);
  });
});
