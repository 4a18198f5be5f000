/** The database is started again, stands still, is full, or another takes its place: results wait on the bus, and nothing is lost (I5, I7, I8). */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { lockKey } from '../../services/collector/src/postgres-store/connection.ts';
import {
  ended,
  listen,
  publishEnd,
  residentMiB,
  type StreamAnswer,
  seriesPublisher,
  type TestCollector,
  testRecord,
} from '../harness/collector.ts';
import { collectorWorld } from '../harness/collector-world.ts';
import { eventually } from '../harness/eventually.ts';
import { hasPostgres, OWNER_PASSWORD, type PostgresServer, startPostgres } from '../harness/postgres-server.ts';

describe.skipIf(!hasPostgres)('a collector whose database (postgresql of the distribution)', () => {
  let postgres: PostgresServer;
  let database: string;
  let collector: TestCollector;

  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres?.stop());
  const world = collectorWorld(async () => {
    database = await postgres.createDatabase();
    return { environment: {} };
  });
  afterEach(async () => {
    expect(await collector.stop()).toBe(0);
    for (const secret of [OWNER_PASSWORD, encodeURIComponent(OWNER_PASSWORD)])
      expect(collector.log()).not.toContain(secret);
  });

  const start = async (
    store: Readonly<Record<string, string>> = { STORE_URL: postgres.url(database) },
  ): Promise<void> => {
    collector = await world.collector(store);
  };
  const health = async (name: string): Promise<number> =>
    (await fetch(`${collector.addresses.http}/v2/health/${name}`)).status;
  const ready = (): Promise<unknown> => eventually('readiness', async () => (await health('ready')) === 200);
  const faults = (code: string): Promise<number> => collector.metric('stream_infer_faults_total', code);

  async function publish(stream: string, to: number, data = ''): Promise<void> {
    const place = { stream, run: 'r1', algorithm: 'faces' };
    const records = Array.from({ length: to }, (_, index) => testRecord(place, index + 1, { data }));
    await seriesPublisher(world.bus, place)(...records);
    await publishEnd(world.bus, stream, 'r1');
  }
  const stored = (stream: string): Promise<StreamAnswer> => ended(collector, stream, 60_000);

  test('is killed and started again stores all of it once, and keeps its clients', { timeout: 90_000 }, async () => {
    await start();
    await ready();
    const client = await listen(`${collector.addresses.api}/v1/events?after=0`);
    const publishing = publish('cam', 2_000);
    await eventually('some results', () => client.events.length > 200);
    await postgres.kill();
    await eventually('unreadiness', async () => (await health('ready')) === 503);
    await publishing;
    expect(await health('live')).toBe(200);
    // Its turn at storing is lost at once; that the whole database is away is known at the next look at it.
    const isConnected = (): Promise<number> => collector.metric('stream_infer_store_connected');
    await eventually('that the database is away', async () => (await isConnected()) === 0);
    const { error } = await collector.get<{ error: { code: string } }>('/v1/streams/cam', 503);
    expect(error.code).toBe('STORE_UNAVAILABLE');
    expect(await faults('STORE_UNREACHABLE')).toBeGreaterThan(0);
    expect(collector.log()).toContain(
      `the database of the results at 127.0.0.1:${postgres.port}/${database} does not answer`,
    );
    await postgres.restart();
    await ready();
    expect(await stored('cam')).toMatchObject({ results: 2_000 });
    await eventually('every event', () => client.events.length === 2_001);
    await client.close();
    expect(new Set(client.events.map(({ id }) => id)).size).toBe(2_001);
    expect(collector.log()).toContain('the database of the results is there again');
    expect(await isConnected()).toBe(1);
  });

  test('is away when it starts waits for it', async () => {
    await postgres.kill();
    await start();
    expect([await health('ready'), await health('live')]).toEqual([503, 200]);
    await publish('cam', 20);
    await postgres.restart();
    expect(await stored('cam')).toMatchObject({ results: 20 });
  });

  test('stands still says so, stays alive, holds little of what comes, and goes on', { timeout: 90_000 }, async () => {
    await start();
    await ready();
    const before = await residentMiB(collector.process.pid);
    const servers = await postgres.processes();
    for (const pid of servers) process.kill(pid, 'SIGSTOP');
    try {
      await publish('cam', 160, 'x'.repeat(900_000));
      await eventually('unreadiness', async () => (await health('ready')) === 503);
      expect(await health('live')).toBe(200);
      // Of 144 MB.
      expect((await residentMiB(collector.process.pid)).most - before.most).toBeLessThan(100);
    } finally {
      for (const pid of servers) process.kill(pid, 'SIGCONT');
    }
    expect(await stored('cam')).toMatchObject({ results: 160 });
    await ready();
  });

  test('is killed under a removal that waits refuses it, and goes on', { timeout: 90_000 }, async () => {
    await start();
    await ready();
    await publish('cam', 20);
    await stored('cam');
    const key = lockKey('writing', world.prefix);
    const holding = postgres.sql(database, `SELECT pg_advisory_lock(${key}), pg_sleep(60)`).catch(() => undefined);
    const held = `SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_advisory_lock%' AND wait_event = 'PgSleep'`;
    await eventually('that the lock is held', async () => (await postgres.sql(database, held)) === '1');
    const waiting = `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`;
    const removing = fetch(`${collector.addresses.api}/v1/streams/cam/results`, { method: 'DELETE' });
    await eventually('that the removal waits', async () => (await postgres.sql(database, waiting)) === '1');
    // All of it at once: no lock is let go on the way.
    const servers = await postgres.processes();
    for (const signal of ['SIGSTOP', 'SIGKILL'] as const) for (const pid of servers) process.kill(pid, signal);
    await postgres.kill();
    expect((await removing).status).toBe(503);
    expect(await health('live')).toBe(200);
    await holding;
    await postgres.restart();
    await ready();
    await publish('yard', 20);
    expect(await stored('yard')).toMatchObject({ results: 20 });
  });

  test('stands still while a client of events goes forgets that client', async () => {
    await start();
    await ready();
    const holding = `BEGIN; LOCK TABLE "${world.prefix}".progress; SELECT pg_sleep(60)`;
    const held = postgres.sql(database, holding).catch(() => undefined);
    const isHeld = `SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted
      AND relation = '"${world.prefix}".progress'::regclass`;
    await eventually('that the table is held', async () => (await postgres.sql(database, isHeld)) === '1');
    const waiting = (): Promise<string> =>
      postgres.sql(
        database,
        `SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT base, sequence FROM progress' AND wait_event_type = 'Lock'`,
      );
    const hangUp = new AbortController();
    const asking = fetch(`${collector.addresses.api}/v1/events`, { signal: hangUp.signal }).catch(() => 'hung up');
    await eventually('that the client waits', async () => Number(await waiting()) > 0);
    hangUp.abort();
    expect(await asking).toBe('hung up');
    await postgres.sql(
      database,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%'`,
    );
    await held;
    await eventually('that nobody waits', async () => Number(await waiting()) === 0);
    await collector.get('/v1/streams');
    expect(await collector.metric('stream_infer_event_clients')).toBe(0);
  });

  test('is named by a file that is broken says so once, and goes on with what it said before', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stream-infer-store-url-'));
    try {
      const file = join(folder, 'url');
      await writeFile(file, postgres.url(database));
      await start({ STORE_URL_FILE: file });
      await ready();
      await writeFile(file, 'broken-secret');
      for (const stream of ['cam', 'yard']) {
        const lost = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database}'`;
        await postgres.sql('postgres', lost);
        await eventually('unreadiness', async () => (await health('ready')) === 503);
        await ready();
        await publish(stream, 5);
        expect(await stored(stream)).toMatchObject({ results: 5 });
      }
      expect(await faults('CONFIG_INVALID')).toBe(1);
      expect(collector.log()).not.toContain('broken-secret');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('cuts its connections goes on by itself', async () => {
    await start();
    await ready();
    await publish('cam', 5);
    await stored('cam');
    await postgres.sql(
      'postgres',
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database}'`,
    );
    await publish('yard', 20);
    expect(await stored('yard')).toMatchObject({ results: 20 });
    await ready();
  });

  test('is full is not ready, says so, and stores once there is room', async () => {
    await start();
    await ready();
    await postgres.sql(
      database,
      `CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
       CREATE TRIGGER no_room BEFORE INSERT ON "${world.prefix}".results EXECUTE FUNCTION no_room()`,
    );
    await publish('cam', 20);
    await eventually('unreadiness', async () => (await health('ready')) === 503);
    await eventually('the fault', async () => (await faults('STORE_FULL')) > 1);
    expect(await health('live')).toBe(200);
    // What is stored can be read, and removed.
    await collector.get('/v1/streams');
    await postgres.sql(database, `DROP TRIGGER no_room ON "${world.prefix}".results`);
    expect(await stored('cam')).toMatchObject({ results: 20 });
    await ready();
  });

  test('gives way to another goes on there', { timeout: 120_000 }, async () => {
    const standby = await postgres.standby();
    try {
      // What is acknowledged is there too.
      await postgres.sql('postgres', "ALTER SYSTEM SET synchronous_standby_names = '*'");
      await postgres.sql('postgres', 'SELECT pg_reload_conf()');
      const { host, hostname } = new URL(postgres.url(database));
      await start({ STORE_URL: postgres.url(database).replace(host, `${hostname}:${standby.port},${host}`) });
      await ready();
      const client = await listen(`${collector.addresses.api}/v1/events?after=0`);
      const publishing = publish('cam', 2_000);
      await eventually('some results', () => client.events.length > 200);
      await postgres.kill();
      await standby.promote();
      await publishing;
      expect(await stored('cam')).toMatchObject({ results: 2_000 });
      await eventually('every event', () => client.events.length === 2_001);
      await client.close();
      expect(await standby.sql(database, `SELECT count(*) FROM "${world.prefix}".results`)).toBe('2000');
      await ready();
    } finally {
      await standby.stop();
      await postgres.restart();
      await postgres.sql('postgres', 'ALTER SYSTEM RESET synchronous_standby_names');
      await postgres.sql('postgres', 'SELECT pg_reload_conf()');
    }
  });
});
