/** What is removed: from the store by retention, from RESULTS once it is stored (EX-7). */

import { stat } from 'node:fs/promises';
import { expect, test } from 'vitest';
import {
  ended,
  publishEnd,
  type StreamAnswer,
  seriesPublisher,
  type TestCollector,
  testRecord,
} from '../harness/collector.ts';
import { collectorWorld } from '../harness/collector-world.ts';
import { eventually } from '../harness/eventually.ts';
import { describeStores } from '../harness/stores.ts';

describeStores(({ create }) => {
  const world = collectorWorld(create);
  let collector: TestCollector;
  const start = async (more: Readonly<Record<string, string>> = {}): Promise<void> => {
    collector = await world.collector(more);
  };

  async function publish(stream: string, results: number, data = ''): Promise<void> {
    const place = { stream, run: 'r1', algorithm: 'faces' };
    const records = Array.from({ length: results }, (_, index) => testRecord(place, index + 1, { data }));
    await seriesPublisher(world.bus, place)(...records);
  }

  const messages = async (): Promise<Record<string, number>> => {
    const { state } = await world.bus.manager.streams.info(world.bus.topology.resultsStream, { subjects_filter: '>' });
    return state.subjects ?? {};
  };

  test('above its bytes the store gives up the oldest results, and the space', async () => {
    const limit = 2_000_000;
    await start({ RETENTION_BYTES: String(limit) });
    await publish('old', 300, 'x'.repeat(2_000));
    await publishEnd(world.bus, 'old', 'r1');
    await ended(collector, 'old');
    await publish('new', 1_500, 'x'.repeat(2_000));
    await publishEnd(world.bus, 'new', 'r1');
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
    if (world.store.path !== undefined) expect((await stat(world.store.path)).size).toBeLessThan(1.5 * limit);
  });

  test('results older than its days go, and the run with them', async () => {
    await start();
    await publish('cam', 20);
    await publishEnd(world.bus, 'cam', 'r1');
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
    await publishEnd(world.bus, 'one', 'r1');
    await ended(collector, 'one');
    await collector.kill();
    await publish('three', 30);
    await start();
    const last = {
      one: await world.bus.jetstream.publish(world.bus.topology.resultSubject('one', 'r1', 'other'), '{}'),
    };
    await eventually('a trimmed RESULTS', async () => Object.values(await messages()).every((count) => count === 1));
    expect(Object.keys(await messages()).sort()).toEqual(
      [
        world.bus.topology.endSubject('one', 'r1'),
        ...['one', 'two', 'three'].map((stream) => world.bus.topology.resultSubject(stream, 'r1', 'faces')),
        world.bus.topology.resultSubject('one', 'r1', 'other'),
      ].sort(),
    );
    expect(last.one.seq).toBe(73);
  });

  test('nothing leaves RESULTS that another sink has yet to take', async () => {
    await start();
    const { resultsStream, collectorDurable } = world.bus.topology;
    const { config } = await eventually('the durable consumer', () =>
      world.bus.manager.consumers.info(resultsStream, collectorDurable),
    );
    await world.bus.manager.consumers.add(resultsStream, { ...config, name: 'warehouse', durable_name: 'warehouse' });
    await publish('cam', 30);
    await eventually('all stored', async () => (await collector.get<StreamAnswer>('/v1/streams/cam')).results === 30);
    const sink = await world.bus.jetstream.consumers.get(resultsStream, 'warehouse');
    for await (const message of await sink.fetch({ max_messages: 10, expires: 5_000 })) message.ack();
    await eventually('what both have taken is gone', async () => Object.values(await messages())[0] === 20);
    for await (const message of await sink.fetch({ max_messages: 20, expires: 5_000 })) message.ack();
    await eventually('all but the last is gone', async () => Object.values(await messages())[0] === 1);
  });
});
