/** A server whose users have the permissions of the version before, as in the middle of an upgrade. */

import { type Bus, connectBus } from '@stream-infer/bus/bus';
import type { BusClient } from '@stream-infer/bus/bus-client';
import { readFrames } from '@stream-infer/bus/frame-reader';
import { createFrameBuffer } from '@stream-infer/bus/frame-stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { streamInfer } from '../harness/command.ts';
import { eventually } from '../harness/eventually.ts';
import { startNatsServer, type TestNatsServer } from '../harness/nats-server.ts';

const PREFIX = 'site';
/** What schedulers of that version did not ask for. */
const NAMED = '"$JS.API.CONSUMER.CREATE.*.>"';

let server: TestNatsServer;
const buses: Bus[] = [];

async function connected(client: BusClient): Promise<Bus> {
  const access = { natsUser: client, natsPassword: `password-of-${client}` };
  const bus = await connectBus({ url: server.url, prefix: PREFIX, name: client, client, access });
  buses.push(bus);
  return bus;
}

beforeAll(async () => {
  const { stdout } = await streamInfer(['bus', 'permissions', '--prefix', PREFIX]);
  const before = stdout.split('\n').filter((line) => line.trim() !== NAMED);
  expect(before.length, 'it asks for it now').toBeLessThan(stdout.split('\n').length);
  const environment = Object.fromEntries(
    [...stdout.matchAll(/user: "(.+)"/g)].map(([, client = '']) => [
      `${client.replaceAll('-', '_').toUpperCase()}_PASSWORD`,
      `password-of-${client}`,
    ]),
  );
  server = await startNatsServer({ configuration: before.join('\n'), environment });
});
afterAll(async () => {
  await Promise.all(buses.map((bus) => bus.close()));
  await server?.stop();
});

test('a scheduler reads frames there, by a consumer without a name', async () => {
  const [ingest, scheduler] = [await connected('ingest'), await connected('scheduler')];
  const buffer = { stream: 'gate', epoch: 7, mode: 'realtime', capacity: 4, bytesPerFrame: 16 } as const;
  const frames = await createFrameBuffer(ingest, buffer);
  const stop = new AbortController();
  const reading = (async () => {
    for await (const _ of readFrames(scheduler, {
      replica: 'a',
      stream: 'gate',
      epoch: 7,
      from: 1,
      signal: stop.signal,
    }));
  })();
  await eventually('its consumer', async () => (await ingest.manager.streams.info(frames)).state.consumer_count === 1);
  stop.abort();
  await reading;
});
