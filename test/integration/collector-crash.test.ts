/** A collector that is killed at any moment: nothing is lost, nothing is stored twice, and nobody who listens notices (I5). */

import { DatabaseSync } from 'node:sqlite';
import type { ResultRecord } from '@stream-infer/core/result-record';
import { expect, test } from 'vitest';
import {
  type EventClient,
  ended,
  listen,
  publishEnd,
  type ServerEvent,
  type StreamAnswer,
  seriesPublisher,
  testRecord,
} from '../harness/collector.ts';
import { collectorWorld } from '../harness/collector-world.ts';
import { eventually } from '../harness/eventually.ts';
import { describeStores } from '../harness/stores.ts';

const ALGORITHMS = ['faces', 'people', 'stats', 'cars'];
const FRAMES = 2_500;
const KILLS = 4;

describeStores(({ create }) => {
  const world = collectorWorld(create);

  async function publishAll(stream: string): Promise<void> {
    const series = ALGORITHMS.map(async (algorithm) => {
      const place = { stream, run: 'r1', algorithm };
      const publish = seriesPublisher(world.bus, place);
      for (let n = 1; n <= FRAMES; n += 1) await publish(testRecord(place, n));
    });
    await Promise.all(series);
    await publishEnd(world.bus, stream, 'r1');
  }

  test('killed in the middle of its load, again and again, it loses nothing and stores nothing twice', async () => {
    const publishing = publishAll('cam');
    const seen: ServerEvent[] = [];
    let collector = await world.collector();
    let client: EventClient = await listen(`${collector.addresses.api}/v1/events?after=0`);
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const enough = (kill * ALGORITHMS.length * FRAMES) / (KILLS + 2);
      await eventually(`${enough} results`, async () => {
        const { streams } = await collector.get<{ streams: StreamAnswer[] }>('/v1/streams');
        return streams.some((stream) => stream.results >= enough);
      });
      await collector.kill();
      await client.close();
      seen.push(...client.events);
      collector = await world.collector();
      client = await listen(`${collector.addresses.api}/v1/events?after=0`, seen.at(-1)?.id);
    }
    await publishing;
    expect(await ended(collector, 'cam')).toMatchObject({ results: ALGORITHMS.length * FRAMES, errors: 0 });
    await eventually('the end among the events', () => client.events.some(({ event }) => event === 'end'));
    await client.close();
    seen.push(...client.events);

    const places = ALGORITHMS.toSorted();
    const expected = Array.from({ length: FRAMES }, (_, index) => places.map((name) => `${index + 1}.${name}`)).flat();
    const placeOf = ({ n, algorithm }: ResultRecord): string => `${n}.${algorithm}`;
    const lines = (await collector.text('/v1/streams/cam/records', { accept: 'application/x-ndjson' })).trimEnd();
    expect(lines.split('\n').map((line) => placeOf(JSON.parse(line) as ResultRecord))).toEqual(expected);

    const ids = seen.map(({ id }) => id);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    expect(seen.at(-1)?.event).toBe('end');
    const events = seen.slice(0, -1).map(({ data }) => placeOf(data as ResultRecord));
    expect(events).toHaveLength(expected.length);
    expect(new Set(events)).toEqual(new Set(expected));

    expect(await collector.stop()).toBe(0);
    if (world.store.path === undefined) return;
    const database = new DatabaseSync(world.store.path, { readOnly: true });
    expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    database.close();
  });

  test('what was on its way to a process that died is stored before the end of its run, and at once', async () => {
    const place = { stream: 'yard', run: 'r1', algorithm: 'faces' };
    const publish = seriesPublisher(world.bus, place);
    const dead = await world.collector();
    const ready = async (): Promise<boolean> => (await fetch(`${dead.addresses.http}/v2/health/ready`)).ok;
    await eventually('a collector that consumes', ready);
    await dead.kill();
    await publish(...Array.from({ length: 50 }, (_, index) => testRecord(place, index + 1)));
    // Takes messages as the collector does, and dies with them unacknowledged.
    const { resultsStream, collectorDurable } = world.bus.topology;
    const taken = await world.bus.jetstream.consumers.get(resultsStream, collectorDurable);
    for await (const message of await taken.fetch({ max_messages: 50, expires: 5_000 })) {
      if (message.info.pending === 0) break;
    }
    const collector = await world.collector();
    const client = await listen(`${collector.addresses.api}/v1/events?stream=yard&after=0`);
    await publishEnd(world.bus, 'yard', 'r1');
    // The server would bring them again after 30 seconds.
    expect(await ended(collector, 'yard', 10_000)).toMatchObject({ results: 50 });
    await eventually('all events', () => client.events.length === 51);
    await client.close();
    expect(client.events.map(({ data }) => ('n' in data ? data.n : 'end'))).toEqual([
      ...Array.from({ length: 50 }, (_, index) => index + 1),
      'end',
    ]);
  });
});
