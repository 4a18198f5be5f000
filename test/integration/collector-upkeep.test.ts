/** What is removed: from the store by retention, from RESULTS once it is stored (EX-7). */

import { stat } from 'node:fs/promises';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { ensureResultStream } from '@stream-infer/bus/result-stream';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  ended,
  publishEnd,
  type StreamAnswer,
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
  let prefix: string;
  let tests = 0;
  let collector: TestCollector;

  beforeAll(async () => {
    server = await startNatsServer();
  });
  afterAll(() => server?.stop());
  beforeEach(async () => {
    tests += 1;
    prefix = `test-${tests}`;
    store = await create();
    bus = await connectBus({ url: server.url, prefix, name: 'collector-upkeep-test' });
    await ensureResultStream(bus, { maxBytes: 1 << 28 });
  });
  afterEach(async () => {
    await collector.stop();
    await bus.close();
    await store.remove();
  });

  const start = async (more: Readonly<Record<string, string>> = {}): Promise<TestCollector> => {
    collector = await startCollector({
      NATS_URL: server.url,
      NATS_PREFIX: prefix,
      ...store.environment,
      ...more,
    });
    return collector;
  };

  async function publish(stream: string, results: number, data = ''): Promise<void> {
    const place = { stream, run: 'r1', algorithm: 'faces' };
    const records = Array.from({ length: results }, (_, index) => testRecord(place, index + 1, { data }));
    await seriesPublisher(bus, place)(...records);
  }

  const messages = async (): Promise<Record<string, number>> => {
    const { state } = await bus.manager.streams.info(bus.topology.resultsStream, { subjects_filter: '>' });
    return state.subjects ?? {};
  };

  test('above its bytes the store gives up the oldest results, and the space', async () => {
    const limit = 2_000_000;
    await start({ RETENTION_BYTES: String(limit) });
    await publish('old', 300, 'x'.repeat(2_000));
    await publishEnd(bus, 'old', 'r1');
    await ended(collector, 'old');
    await publish('new', 1_500, 'x'.repeat(2_000));
    await publishEnd(bus, 'new', 'r1');
    await ended(collector, 'new');
    // A run of which nothing is left is forgotten.
    await eventually('the old run is forgotten', async () => {
      const { streams } = await collector.get<{ streams: StreamAnswer[] }>('/v1/streams');
      return streams.length === 1 && streams[0]?.id === 'new';
    });
    // The newest are kept, and the counts are what there is.
    await eventually('a store within its limit', async () => {
      const usedBytes = await collector.metric('stream_infer_store_bytes', 'used');
      const removed = await collector.metric('stream_infer_removed_results_total', 'bytes');
      const { results } = await collector.get<StreamAnswer>('/v1/streams/new');
      const { records } = await collector.get<{ records: { n: number }[] }>('/v1/streams/new/records?limit=1');
      const first = records[0]?.n ?? 0;
      return results < 900 && usedBytes <= limit && removed === 1_800 - results && first === 1_500 - results + 1;
    });
    await collector.stop();
    // A database keeps the room for what comes next.
    if (store.path !== undefined) expect((await stat(store.path)).size).toBeLessThan(1.5 * limit);
  });

  test('results older than its days go, and the run with them', async () => {
    await start();
    await publish('cam', 20);
    await publishEnd(bus, 'cam', 'r1');
    await ended(collector, 'cam');
    expect(await collector.metric('stream_infer_removed_results_total', 'age')).toBe(0);
    await collector.stop();
    await start({ RETENTION_DAYS: String(0.5 / 86_400) });
    await eventually(
      'an empty store',
      async () => (await collector.get<{ streams: [] }>('/v1/streams')).streams.length === 0,
    );
    expect(await collector.metric('stream_infer_removed_results_total', 'age')).toBe(20);
  });

  test('stored results leave RESULTS, all but the last of each subject; what a dead collector left too', async () => {
    await start();
    await publish('one', 40);
    await publish('two', 1);
    await publishEnd(bus, 'one', 'r1');
    await ended(collector, 'one');
    await collector.kill();
    await publish('three', 30);
    await start();
    const last = { one: await bus.jetstream.publish(bus.topology.resultSubject('one', 'r1', 'other'), '{}') };
    await eventually('a trimmed RESULTS', async () => Object.values(await messages()).every((count) => count === 1));
    expect(Object.keys(await messages()).sort()).toEqual(
      [
        bus.topology.endSubject('one', 'r1'),
        ...['one', 'two', 'three'].map((stream) => bus.topology.resultSubject(stream, 'r1', 'faces')),
        bus.topology.resultSubject('one', 'r1', 'other'),
      ].sort(),
    );
    expect(last.one.seq).toBe(73);
  });

  test('nothing leaves RESULTS that another sink has yet to take', async () => {
    await start();
    const { resultsStream, collectorDurable } = bus.topology;
    const { config } = await eventually('the durable consumer', () =>
      bus.manager.consumers.info(resultsStream, collectorDurable),
    );
    await bus.manager.consumers.add(resultsStream, { ...config, name: 'warehouse', durable_name: 'warehouse' });
    await publish('cam', 30);
    await eventually('all stored', async () => (await collector.get<StreamAnswer>('/v1/streams/cam')).results === 30);
    const sink = await bus.jetstream.consumers.get(resultsStream, 'warehouse');
    for await (const message of await sink.fetch({ max_messages: 10, expires: 5_000 })) message.ack();
    await eventually('what both have taken is gone', async () => Object.values(await messages())[0] === 20);
    for await (const message of await sink.fetch({ max_messages: 20, expires: 5_000 })) message.ack();
    await eventually('all but the last is gone', async () => Object.values(await messages())[0] === 1);
  });
});
