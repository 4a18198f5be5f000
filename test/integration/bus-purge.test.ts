/** What an installation leaves on NATS, removed by `stream-infer bus purge`: all of it, nothing of another's, and nothing while a service runs. */

import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { BUS_CLIENTS } from '@stream-infer/bus/bus-client';
import { ensureDeadLetterStream } from '@stream-infer/bus/dead-letters';
import { createFrameBuffer } from '@stream-infer/bus/frame-stream';
import { Membership } from '@stream-infer/bus/membership';
import { openMembers, openRunners, openRuns, openStreams } from '@stream-infer/bus/registry';
import { readResults } from '@stream-infer/bus/result-reader';
import { ensureResultStream } from '@stream-infer/bus/result-stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { streamInfer } from '../harness/command.ts';
import { startNatsServer, type TestNatsServer } from '../harness/nats-server.ts';

const PREFIX = 'site';
/** Its names begin as those of the other do. */
const NEIGHBOUR = 'site_FRAMES';

let server: TestNatsServer;
let bus: Bus;
beforeEach(async () => {
  server = await startNatsServer();
  bus = await connectBus({ url: server.url, prefix: PREFIX, name: 'test' });
});
afterEach(async () => {
  await bus.close();
  await server.stop();
});

const purge = (...args: readonly string[]) =>
  streamInfer(['bus', 'purge', '--nats', server.url, '--prefix', PREFIX, ...args]);

async function fill(on: Bus): Promise<void> {
  await ensureResultStream(on, { maxBytes: 2 ** 20 });
  await ensureDeadLetterStream(on, { maxBytes: 2 ** 20 });
  await Promise.all([openStreams(on), openRuns(on), openMembers(on), openRunners(on)]);
  await createFrameBuffer(on, { stream: 'gate', epoch: 7, mode: 'realtime', capacity: 4, bytesPerFrame: 100 });
}

async function standing(): Promise<string[]> {
  const names: string[] = [];
  for await (const { config } of bus.manager.streams.list()) names.push(config.name);
  return names.sort();
}

test('every stream and bucket of the prefix goes, and none of one that begins alike', async () => {
  const neighbour = await connectBus({ url: server.url, prefix: NEIGHBOUR, name: 'neighbour' });
  await fill(neighbour);
  await neighbour.close();
  const before = await standing();
  await fill(bus);
  const all = await standing();
  const own = all.filter((name) => !before.includes(name));
  expect(own).toHaveLength(7);

  const told = await purge('--json');
  expect(JSON.parse(told.stdout)).toMatchObject({ prefix: PREFIX, removed: false });
  expect(
    JSON.parse(told.stdout)
      .streams.map(({ name }: { name: string }) => name)
      .sort(),
  ).toEqual(own);
  expect(await standing()).toEqual(all);

  const done = await purge('--yes');
  expect([done.status, done.stderr]).toEqual([0, '']);
  expect(done.stdout).toMatch(/^site_RESULTS: 0 messages, 0 bytes$/m);
  expect(await standing()).toEqual(before);
  expect((await purge('--yes')).stdout).toBe('there is nothing of this prefix\n');
});

test('while a service beats nothing goes, and it is named; once it has said goodbye all does', async () => {
  await fill(bus);
  const all = await standing();
  const members = await openMembers(bus);
  const ingest = new Membership({
    bus,
    members,
    role: 'ingest',
    id: 'a',
    held: () => ({}),
    onChange: () => undefined,
    onTrouble: () => undefined,
  });
  const refused = await purge('--yes', '--wait', '2');
  expect(refused.status).toBe(4);
  expect(refused.stderr).toContain(
    'DATA_IN_USE: services of the prefix site are still there: ingest.a; stop them first',
  );
  expect(await standing()).toEqual(all);

  const waiting = purge('--yes', '--wait', '60');
  await ingest.close();
  expect((await waiting).status).toBe(0);
  expect(await standing()).toEqual([]);
});

test('one that was killed beats no more, and keeps nothing', async () => {
  await fill(bus);
  await (await openMembers(bus)).put('scheduler.dead', { id: 'dead', role: 'scheduler', startedAtMs: 1, beat: 1 });
  expect((await purge('--yes')).status).toBe(0);
  expect(await standing()).toEqual([]);
});

test('a collector is a service that is there', async () => {
  await fill(bus);
  const stop = new AbortController();
  const reading = (async () => {
    for await (const _ of readResults(bus, { maxBytes: 2 ** 20, from: async () => 1, signal: stop.signal }));
  })();
  const refused = await purge('--yes', '--wait', '1');
  expect(refused.stderr).toContain('still there: collector;');
  stop.abort();
  await reading;
});

test("the operator's permissions are enough for it", async () => {
  await bus.close();
  await server.stop();
  const { stdout: configuration } = await streamInfer(['bus', 'permissions', '--prefix', PREFIX]);
  const variable = (client: string): string => `${client.replace('-', '_').toUpperCase()}_PASSWORD`;
  const environment = Object.fromEntries(BUS_CLIENTS.map((client) => [variable(client), `password-of-${client}`]));
  server = await startNatsServer({ configuration, environment });
  const as = (client: (typeof BUS_CLIENTS)[number]): Promise<Bus> =>
    connectBus({
      url: server.url,
      prefix: PREFIX,
      name: client,
      client,
      access: { natsUser: client, natsPassword: `password-of-${client}` },
    });
  bus = await as('ingest');
  const scheduler = await as('scheduler');
  await Promise.all([openStreams(bus), openRuns(bus), openMembers(bus), openRunners(bus)]);
  await createFrameBuffer(bus, { stream: 'gate', epoch: 7, mode: 'realtime', capacity: 4, bytesPerFrame: 100 });
  await ensureResultStream(scheduler, { maxBytes: 2 ** 20 });
  await scheduler.close();
  const environmentOf = { NATS_USER: 'operator', NATS_PASSWORD: 'password-of-operator' };
  const done = await streamInfer(['bus', 'purge', '--nats', server.url, '--prefix', PREFIX, '--yes'], {
    environment: environmentOf,
  });
  expect([done.status, done.stderr]).toEqual([0, '']);
  const again = await streamInfer(['bus', 'purge', '--nats', server.url, '--prefix', PREFIX], {
    environment: environmentOf,
  });
  expect(again.stdout).toBe('there is nothing of this prefix\n');
});
