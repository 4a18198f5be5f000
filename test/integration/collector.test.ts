import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { openStreams } from '@stream-infer/bus/registry';
import { ensureResultStream } from '@stream-infer/bus/result-stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
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
import { startService } from '../harness/service-process.ts';
import { startProxy } from '../harness/stalling-proxy.ts';
import { describeStores } from '../harness/stores.ts';
import { streamSpec } from '../model/specs.ts';

const FAILED = { error: { code: 'ALGORITHM_FAILED', message: 'it threw' } } as const;

describeStores(({ create, keepsFile }) => {
  const world = collectorWorld(create);
  const place = (algorithm = 'faces', run = 'r1') => ({ stream: 'cam', run, algorithm });
  const stored = (each: TestCollector, results: number): Promise<StreamAnswer> =>
    eventually(`${results} results in the store`, async () => {
      const answer = await each.get<StreamAnswer>('/v1/streams/cam');
      return answer.results === results && answer;
    });

  describe('a collector', () => {
    test('stores what comes and what was there before it, tells the newest run, and stops clean', async () => {
      const faces = seriesPublisher(world.bus, place());
      await faces(testRecord(place(), 1), testRecord(place(), 2));
      const first = await world.collector();
      await faces(testRecord(place(), 3, FAILED));
      expect(await stored(first, 3)).toMatchObject({
        id: 'cam',
        run: 'r1',
        state: 'running',
        results: 3,
        errors: 1,
        end: null,
      });
      await publishEnd(world.bus, 'cam', 'r1');
      expect((await ended(first, 'cam')).state).toBe('ended');
      await seriesPublisher(world.bus, place('faces', 'r0'))(testRecord(place('faces', 'r0'), 1));
      await publishEnd(world.bus, 'cam', 'r0', {
        code: 'SOURCE_LOST',
        message: 'no frames from rtsp://u:secret@host/x',
      });
      const failed = await eventually('the second run', async () => {
        const answer = await first.get<StreamAnswer>('/v1/streams/cam');
        return answer.run === 'r0' && answer.end !== null && answer;
      });
      expect(failed).toMatchObject({ state: 'failed', results: 1 });
      expect(failed.end?.fault?.message).toBe('no frames from rtsp://***@host/x');
      expect(await first.get<StreamAnswer>('/v1/streams/cam?run=r1')).toMatchObject({ run: 'r1', results: 3 });

      expect(await first.stop()).toBe(0);
      const lines = first.log().trim().split('\n');
      expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['started', 'stopping']);
    });

    test('stops at once with connections and event streams open', { timeout: 30_000 }, async () => {
      const one = await world.collector({ DRAIN_TIMEOUT_MS: '60000' });
      const { hostname, port } = new URL(one.addresses.api ?? '');
      const unused = connect({ host: hostname, port: Number(port) });
      await once(unused, 'connect');
      await one.get('/v1/streams');
      await listen(`${one.addresses.api}/v1/events`);
      expect(await one.stop()).toBe(0);
      unused.destroy();
    });

    test('keeps the success where an error was mended, and no error where a success stands', async () => {
      const one = await world.collector();
      const client = await listen(`${one.addresses.api}/v1/events?after=0`);
      const faces = seriesPublisher(world.bus, place());
      await faces(testRecord(place(), 1, FAILED), testRecord(place(), 2));
      await eventually('the error among the events', () => client.events.length === 2);
      // What mends an error comes on a subject of its own.
      const mended = testRecord(place(), 1, { data: 'mended' });
      await world.bus.jetstream.publish(
        world.bus.topology.resultSubject('cam', 'r1', 'faces.1'),
        JSON.stringify(mended),
      );
      await faces(testRecord(place(), 1, FAILED), testRecord(place(), 2, FAILED), testRecord(place(), 3));
      expect(await stored(one, 3)).toMatchObject({ errors: 0 });
      expect(await one.text('/v1/streams/cam/results')).toBe('{"faces":{"0.1":"mended","0.2":{"n":2},"0.3":{"n":3}}}');
      expect(await one.metric('stream_infer_duplicate_results_total')).toBe(2);
      await eventually('four events', () => client.events.length >= 4);
      await client.close();
      expect(client.events.map(({ data }) => ('n' in data ? [data.n, 'data' in data] : []))).toEqual([
        [1, false],
        [2, true],
        [1, true],
        [3, true],
      ]);
    });

    test('passes over a message that is no result, and tells', async () => {
      const one = await world.collector();
      for (const bytes of ['no JSON', '{"stream":"cam"}', '[]', 'null'])
        await world.bus.jetstream.publish(world.bus.topology.resultSubject('cam', 'r1', 'faces'), bytes);
      await seriesPublisher(world.bus, place('other'))(testRecord(place('other'), 1));
      await stored(one, 1);
      expect(await one.metric('stream_infer_unreadable_results_total')).toBe(4);
      expect(one.log()).toContain('no result and no end of a run');
    });

    test('is not ready while the bus is away, stays alive, and goes on when it is back', async () => {
      const one = await world.collector();
      const health = async (name: string): Promise<number> =>
        (await fetch(`${one.addresses.http}/v2/health/${name}`)).status;
      await eventually('readiness', async () => (await health('ready')) === 200);
      process.kill(world.server.pid, 'SIGSTOP');
      try {
        await eventually('unreadiness', async () => (await health('ready')) === 503);
        expect(await health('live')).toBe(200);
      } finally {
        process.kill(world.server.pid, 'SIGCONT');
      }
      await eventually('readiness again', async () => (await health('ready')) === 200);
      await seriesPublisher(world.bus, place())(testRecord(place(), 1));
      await stored(one, 1);
    });

    test('tells the state of no stream while it is cut off from the bus, and of each when it is back', async () => {
      const proxy = await startProxy(Number(new URL(world.server.url).port));
      onTestFinished(() => proxy.close());
      const one = await world.collector({ NATS_URL: `nats://${proxy.address}` });
      await (await openStreams(world.bus)).put('gate', streamSpec({ id: 'gate' }));
      const told = (): Promise<number> => one.metric('stream_infer_stream_state', 'stream="gate"', 'state="waiting"');
      await eventually('its state', async () => (await told()) === 1);
      proxy.stall();
      proxy.cut();
      await eventually('that nothing is told of it', async () => (await told()) === 0);
      proxy.flow();
      proxy.cut();
      await eventually('its state again', async () => (await told()) === 1);
    });

    test('goes on with ascending ids where RESULTS was made anew', async () => {
      const one = await world.collector();
      const client = await listen(`${one.addresses.api}/v1/events?after=0`);
      await seriesPublisher(world.bus, place())(testRecord(place(), 1), testRecord(place(), 2));
      await stored(one, 2);
      await world.bus.manager.streams.delete(world.bus.topology.resultsStream);
      await ensureResultStream(world.bus, { maxBytes: RESULTS_BYTES });
      await seriesPublisher(world.bus, place())(testRecord(place(), 2), testRecord(place(), 3));
      await stored(one, 3);
      await eventually('three events', () => client.events.length === 3);
      await client.close();
      expect(client.events.map(({ id, data }) => [id, 'n' in data && data.n])).toEqual([
        [1, 1],
        [2, 2],
        [4, 3],
      ]);
    });
  });

  if (keepsFile)
    test('a store that cannot be written ends the collector, and nothing is lost', async () => {
      const one = await world.collector();
      await seriesPublisher(world.bus, place())(testRecord(place(), 1));
      await stored(one, 1);
      const intruder = new DatabaseSync(world.store.path ?? '');
      intruder.exec('BEGIN IMMEDIATE');
      const exited = once(one.process, 'exit');
      await seriesPublisher(world.bus, place('late'))(testRecord(place('late'), 2));
      expect(await exited).toEqual([4, null]);
      expect(one.log()).toMatch(/"level":"fatal".*"code":"STORE_FAILED".*results\.sqlite failed: database is locked/);
      intruder.close();
      await stored(await world.collector(), 2);
    });

  describe('a collector that cannot start', () => {
    const fatal = async (more: Readonly<Record<string, string>>): Promise<string> => {
      const error: unknown = await startService('collector', { ...world.environment, ...more }).catch(
        (e: unknown) => e,
      );
      return String(error);
    };

    test('names the port that is in use', async () => {
      const taken = createServer();
      const port = await new Promise<number>((resolve) => {
        taken.listen(0, '127.0.0.1', () => {
          const address = taken.address();
          resolve(typeof address === 'object' && address ? address.port : 0);
        });
      });
      const text = await fatal({ API_PORT: String(port) });
      taken.close();
      expect(text).toContain('ended with 4');
      expect(text).toMatch(new RegExp(`"code":"PORT_IN_USE".*${port}`));
    });

    test('says so where the bus has not the room for RESULTS', async () => {
      const text = await fatal({ NATS_PREFIX: 'roomless', RESULTS_MAX_BYTES: String(2 ** 50) });
      expect(text).toMatch(/ended with 4.*"code":"BUS_FAILED".*resultsMaxBytes/);
    });

    test('names the store that it cannot open, and the bus that does not answer', async () => {
      if (keepsFile)
        expect(await fatal({ STORE_PATH: import.meta.filename })).toMatch(
          /ended with 4.*"code":"STORE_FAILED".*collector\.test\.ts.*not a database/,
        );
      const unreachable = await fatal({ NATS_URL: 'nats://u:secret@127.0.0.1:1' });
      expect(unreachable).toMatch(/ended with 4.*"code":"NATS_UNREACHABLE".*127\.0\.0\.1:1/);
      expect(unreachable).not.toContain('secret');
    });
  });
});
