/**
 * What the users of `stream-infer bus permissions` may do, asked of a real server that knows them alone: each subject of an installation, by each
 * of them. The table is written by hand, so that a permission that is given away is a failure here. That what they may do is enough is for
 * the tests of runs, whose servers have the same users.
 */

import { setImmediate } from 'node:timers/promises';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { BUS_CLIENTS, type BusClient } from '@stream-infer/bus/bus-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { streamInfer } from '../harness/command.ts';
import { startNatsServer, type TestNatsServer } from '../harness/nats-server.ts';

const PREFIX = 'site';
const ALL = [...BUS_CLIENTS].sort();
const NOBODY: readonly BusClient[] = [];

let server: TestNatsServer;
const buses = new Map<BusClient, Bus>();

beforeAll(async () => {
  // As an operator does: the block in the server's configuration, the passwords in its environment.
  const { stdout: configuration } = await streamInfer(['bus', 'permissions', '--prefix', PREFIX]);
  const environment = Object.fromEntries(BUS_CLIENTS.map((client) => [variable(client), `password-of-${client}`]));
  server = await startNatsServer({ configuration, environment });
  for (const client of BUS_CLIENTS)
    buses.set(
      client,
      await connectBus({
        url: server.url,
        prefix: PREFIX,
        name: client,
        client,
        access: { natsUser: client, natsPassword: `password-of-${client}` },
      }),
    );
  for (const bus of buses.values()) void countForbidden(bus);
});
afterAll(async () => {
  await Promise.all([...buses.values()].map((bus) => bus.close()));
  await server?.stop();
});

const variable = (client: BusClient): string => `${client.replace('-', '_').toUpperCase()}_PASSWORD`;

/** What the server has forbidden each of them so far. */
const forbidden = new Map<Bus, number>();

async function countForbidden(bus: Bus): Promise<void> {
  for await (const { permissionContext } of bus.connection.status())
    if (permissionContext) forbidden.set(bus, (forbidden.get(bus) ?? 0) + 1);
}

/** The server answers in order: what it forbids it has said by then. */
async function isForbidden(bus: Bus, doing: () => void): Promise<boolean> {
  const before = forbidden.get(bus) ?? 0;
  doing();
  await bus.connection.flush();
  await setImmediate();
  return (forbidden.get(bus) ?? 0) > before;
}

async function allowed(act: (bus: Bus) => void): Promise<BusClient[]> {
  const found: BusClient[] = [];
  for (const [client, bus] of buses) if (!(await isForbidden(bus, () => act(bus)))) found.push(client);
  return found.sort();
}

/** Nobody of the server answers: none of these streams is there, and no request names an answer's place. */
const publishers = (subject: string): Promise<BusClient[]> => allowed((bus) => bus.connection.publish(subject));

const readers = (subject: string): Promise<BusClient[]> =>
  allowed((bus) => bus.connection.subscribe(subject, { callback: () => undefined }).unsubscribe(1_000_000));

const FRAMES = `${PREFIX}_FRAMES_gate_7`;
const RESULTS = `${PREFIX}_RESULTS`;
const LETTERS = `${PREFIX}_DEAD_LETTERS`;
const bucket = (name: string): string => `KV_${PREFIX}_${name}`;

type Bucket = { readonly open: BusClient[]; readonly read?: BusClient[]; readonly watch: BusClient[] };
type Row = readonly [subject: string, who: readonly BusClient[]];

const PUBLISHED: readonly Row[] = [
  [`${PREFIX}.frames.gate.7`, ['ingest']],
  [`${PREFIX}.headers.me.gate.7.x`, NOBODY],
  [`${PREFIX}.status.gate`, ['ingest']],
  [`${PREFIX}.released.gate`, ['scheduler']],
  [`${PREFIX}.rewind.gate`, ['scheduler']],
  [`${PREFIX}.lanes.gate`, ['scheduler']],
  [`${PREFIX}.results.gate.r1.faces`, ['scheduler']],
  [`${PREFIX}.results.gate.r1.faces.replay.7`, ['scheduler']],
  [`${PREFIX}.ends.gate.r1`, ['ingest', 'scheduler']],
  [`${PREFIX}.dead-letters.gate.r1.faces`, ['scheduler']],
  [`${PREFIX}.replays.x.7`, ['scheduler']],
  [`${PREFIX}.replays.x.end`, ['ingest', 'scheduler']],
  ...ALL.map((client): Row => [`${PREFIX}.inbox.${client}.x`, NOBODY]),
  [`$KV.${PREFIX}_streams.gate`, ['collector', 'ingest', 'operator']],
  [`$KV.${PREFIX}_runs.gate`, ['ingest', 'operator']],
  [`$KV.${PREFIX}_runners.r`, ['algo-runner']],
  [`$KV.${PREFIX}_members.ingest.a`, ['ingest']],
  [`$KV.${PREFIX}_members.scheduler.a`, ['scheduler']],
  [`$KV.${PREFIX}_assignments.gate`, ['scheduler']],
  [`$KV.${PREFIX}_snapshots.gate.r1.a`, ['scheduler']],
  // The server: account and streams.
  ['$JS.API.INFO', ALL],
  ['$JS.API.STREAM.LIST', ['collector', 'operator']],
  ['$JS.API.STREAM.NAMES', NOBODY],
  [`$JS.API.STREAM.CREATE.${FRAMES}`, ['ingest']],
  [`$JS.API.STREAM.DELETE.${FRAMES}`, ['ingest', 'operator', 'scheduler']],
  [`$JS.API.STREAM.PURGE.${FRAMES}`, ['scheduler']],
  [`$JS.API.STREAM.INFO.${FRAMES}`, ['ingest', 'scheduler']],
  [`$JS.API.STREAM.UPDATE.${FRAMES}`, NOBODY],
  [`$JS.API.STREAM.MSG.GET.${FRAMES}`, NOBODY],
  [`$JS.API.STREAM.MSG.DELETE.${FRAMES}`, NOBODY],
  [`$JS.API.STREAM.SNAPSHOT.${FRAMES}`, NOBODY],
  [`$JS.API.DIRECT.GET.${FRAMES}`, ['algo-runner', 'ingest']],
  [`$JS.API.CONSUMER.CREATE.${FRAMES}`, ['scheduler']],
  [`$JS.API.CONSUMER.CREATE.${FRAMES}.name`, ['scheduler']],
  [`$JS.API.CONSUMER.DELETE.${FRAMES}.x`, ['scheduler']],
  [`$JS.FC.${FRAMES}.x`, ['scheduler']],
  [`$JS.API.STREAM.CREATE.${RESULTS}`, ['collector', 'scheduler']],
  [`$JS.API.STREAM.DELETE.${RESULTS}`, ['operator']],
  [`$JS.API.STREAM.PURGE.${RESULTS}`, ['collector']],
  [`$JS.API.STREAM.UPDATE.${RESULTS}`, NOBODY],
  [`$JS.API.STREAM.INFO.${RESULTS}`, ['collector', 'scheduler']],
  [`$JS.API.STREAM.MSG.DELETE.${RESULTS}`, NOBODY],
  [`$JS.API.DIRECT.GET.${RESULTS}`, ['collector', 'ingest', 'operator', 'scheduler']],
  [`$JS.API.CONSUMER.CREATE.${RESULTS}`, ['collector']],
  [`$JS.API.CONSUMER.CREATE.${RESULTS}.collector`, ['collector']],
  [`$JS.API.CONSUMER.DURABLE.CREATE.${RESULTS}.collector`, ['collector']],
  [`$JS.API.CONSUMER.DELETE.${RESULTS}.collector`, ['collector']],
  [`$JS.API.CONSUMER.DELETE.${RESULTS}.sink`, NOBODY],
  [`$JS.API.CONSUMER.MSG.NEXT.${RESULTS}.collector`, ['collector']],
  [`$JS.API.CONSUMER.MSG.NEXT.${RESULTS}.sink`, NOBODY],
  [`$JS.ACK.${RESULTS}.collector.1.1.1.1.0`, ['collector']],
  [`$JS.ACK.${RESULTS}.sink.1.1.1.1.0`, NOBODY],
  [`$JS.API.STREAM.CREATE.${LETTERS}`, ['scheduler']],
  [`$JS.API.STREAM.DELETE.${LETTERS}`, ['operator']],
  [`$JS.API.STREAM.PURGE.${LETTERS}`, ['operator']],
  [`$JS.API.STREAM.INFO.${LETTERS}`, ['operator', 'scheduler']],
  [`$JS.API.STREAM.MSG.DELETE.${LETTERS}`, ['operator']],
  [`$JS.API.DIRECT.GET.${LETTERS}`, ['ingest', 'operator', 'scheduler']],
  [`$JS.API.CONSUMER.CREATE.${LETTERS}`, NOBODY],
  // Buckets: whoever opens one makes it and reads single keys, as others may too; whoever follows it has a consumer.
  ...Object.entries({
    streams: { open: ['collector', 'ingest', 'operator'], watch: ['collector', 'ingest'] },
    runs: {
      open: ['collector', 'ingest', 'operator', 'scheduler'],
      watch: ['collector', 'ingest', 'operator', 'scheduler'],
    },
    runners: { open: ['algo-runner', 'ingest', 'scheduler'], read: ['operator'], watch: ['ingest', 'scheduler'] },
    members: { open: ['ingest', 'scheduler'], read: ['operator'], watch: ['ingest', 'scheduler'] },
    assignments: { open: ['ingest', 'scheduler'], watch: ['ingest', 'scheduler'] },
    snapshots: { open: ['ingest', 'scheduler'], watch: ['ingest'] },
  } satisfies Record<string, Bucket>).flatMap(([name, { open, read = [], watch }]: [string, Bucket]): Row[] => [
    [`$JS.API.STREAM.CREATE.${bucket(name)}`, open],
    [`$JS.API.STREAM.INFO.${bucket(name)}`, [...open, ...read].sort()],
    [`$JS.API.STREAM.UPDATE.${bucket(name)}`, []],
    [`$JS.API.STREAM.DELETE.${bucket(name)}`, ['operator']],
    [`$JS.API.STREAM.PURGE.${bucket(name)}`, ['ingest']],
    [`$JS.API.STREAM.MSG.DELETE.${bucket(name)}`, []],
    [`$JS.API.DIRECT.GET.${bucket(name)}`, []],
    [`$JS.API.DIRECT.GET.${bucket(name)}.$KV.${PREFIX}_${name}.x`, [...open, ...read].sort()],
    [`$JS.API.CONSUMER.CREATE.${bucket(name)}`, watch],
    [`$JS.API.CONSUMER.CREATE.${bucket(name)}.n.$KV.${PREFIX}_${name}.x`, watch],
    [`$JS.API.CONSUMER.DELETE.${bucket(name)}.x`, watch],
    [`$JS.FC.${bucket(name)}.x`, watch],
  ]),
  // What is not of the installation.
  ['other.results.gate.r1.faces', NOBODY],
  ['$KV.other_streams.gate', NOBODY],
  ['$JS.API.STREAM.PURGE.KV_other', ['scheduler']],
  ['$SYS.REQ.SERVER.PING', NOBODY],
  ['_INBOX.x', NOBODY],
  ['anything', NOBODY],
];

const READ: readonly Row[] = [
  ['>', NOBODY],
  [`${PREFIX}.>`, NOBODY],
  [`${PREFIX}.frames.>`, NOBODY],
  [`${PREFIX}.headers.me.gate.7.x`, ['scheduler']],
  [`${PREFIX}.released.gate`, ['ingest']],
  [`${PREFIX}.rewind.*`, ['ingest']],
  [`${PREFIX}.status.*`, ['collector', 'operator']],
  [`${PREFIX}.lanes.*`, ['collector', 'operator']],
  [`${PREFIX}.results.>`, NOBODY],
  [`${PREFIX}.ends.>`, NOBODY],
  [`${PREFIX}.dead-letters.>`, NOBODY],
  [`${PREFIX}.replays.>`, NOBODY],
  ...ALL.map((client): Row => [`${PREFIX}.inbox.${client}.x`, [client]]),
  [`${PREFIX}.inbox.>`, NOBODY],
  ['_INBOX.>', NOBODY],
  ['$KV.>', NOBODY],
  ['$JS.>', NOBODY],
  ['$SYS.>', NOBODY],
];

test.each<[what: string, table: readonly Row[], find: (subject: string) => Promise<BusClient[]>]>([
  ['publishes to', PUBLISHED, publishers],
  ['reads from', READ, readers],
])('each user %s its own subjects alone (N-7)', async (_what, table, find) => {
  const found: [string, BusClient[]][] = [];
  for (const [subject] of table) found.push([subject, await find(subject)]);
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries(table));
});

test('nobody comes without credentials', async () => {
  await expect(connectBus({ url: server.url, prefix: PREFIX, name: 'anybody' })).rejects.toMatchObject({
    code: 'NATS_UNAUTHORIZED',
  });
});

test('a user that lacks a permission is told of it, and which it is', async () => {
  const access = { natsUser: 'algo-runner', natsPassword: 'password-of-algo-runner' };
  const open = connectBus({ url: server.url, prefix: 'elsewhere', name: 'wrong', client: 'algo-runner', access });
  // Its replies come to another installation's inbox.
  await expect(open).rejects.toMatchObject({
    code: 'NATS_FORBIDDEN',
    message: expect.stringMatching(
      /forbids user algo-runner to subscribe to elsewhere\.inbox\.algo-runner\.\S+: give it/,
    ),
  });
});
