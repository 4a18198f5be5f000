/** What is of PostgreSQL alone: its schema over the versions, who may come and how, and that one writes at a time. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MIGRATIONS, type Migration } from '../../services/collector/src/postgres-store/migrations.ts';
import { openPostgresStore, type PostgresStore } from '../../services/collector/src/postgres-store/result-store.ts';
import { type StoreSettings, storeTarget } from '../../services/collector/src/postgres-store/store-target.ts';
import { certificateAuthority } from '../harness/certificates.ts';
import { eventually } from '../harness/eventually.ts';
import { hasPostgres, OWNER, OWNER_PASSWORD, type PostgresServer, startPostgres } from '../harness/postgres-server.ts';
import { openStoreAt, RESULTS, storeItems, storeTurn } from '../harness/store-at.ts';

const opened = (settings: Partial<StoreSettings>): Promise<PostgresStore> =>
  openPostgresStore({
    target: () => storeTarget({ storeUrl: undefined, storeUrlFile: undefined, storeCa: undefined, ...settings }),
    schema: 'stream-infer',
    report: () => undefined,
    onState: () => undefined,
  });

/** What is said where it is refused. */
async function refusal(settings: Partial<StoreSettings>): Promise<string> {
  const store = await opened(settings).catch((error: unknown) => String(error));
  if (typeof store === 'string') return store;
  await store.close();
  return 'it was opened';
}

describe.skipIf(!hasPostgres)('PostgreSQL (postgresql of the distribution)', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.stop());

  describe('the schema', () => {
    /** Every column and index there is. */
    const shape = (database: string): Promise<string> =>
      server.sql(
        database,
        `SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
           WHERE table_schema = 'stream-infer' ORDER BY 1, ordinal_position;
         SELECT indexdef FROM pg_indexes WHERE schemaname = 'stream-infer' ORDER BY 1`,
      );
    const LATER: readonly Migration[] = [
      { sql: 'ALTER TABLE runs ADD COLUMN note text', oldest: MIGRATIONS.length },
      { sql: 'CREATE INDEX results_by_age ON results (stored_at_ms)', oldest: MIGRATIONS.length },
    ];
    const ALL = [...MIGRATIONS, ...LATER];

    test.each(ALL.map((_, version) => version))('comes up from version %i with what it holds', async (version) => {
      const [fresh, old] = [await server.createDatabase(), await server.createDatabase()];
      await (await openStoreAt(server.url(fresh), ALL)).close();
      if (version > 0) {
        const before = await openStoreAt(server.url(old), ALL.slice(0, version));
        const writer = await storeTurn(before);
        await writer.commit({ items: storeItems(1, 50), sequence: 50 }, 0);
        await writer.close();
        await before.close();
      }
      const store = await openStoreAt(server.url(old), ALL);
      expect(await shape(old)).toBe(await shape(fresh));
      expect((await store.run('cam'))?.results).toBe(version > 0 ? 50 : undefined);
      const writer = await storeTurn(store);
      expect(await writer.commit({ items: storeItems(51, 51), sequence: 51 }, 0)).toEqual(['stored']);
      await writer.close();
      await store.close();
    });

    test('stays as it was where a migration fails', async () => {
      const database = await server.createDatabase();
      await (await openStoreAt(server.url(database))).close();
      const before = await shape(database);
      const broken = [...ALL, { sql: 'CREATE TABLE runs ()', oldest: 1 }];
      await expect(openStoreAt(server.url(database), broken)).rejects.toThrow(/"runs" already exists/);
      expect(await shape(database)).toBe(before);
      expect(await server.sql(database, 'SELECT version FROM "stream-infer".schema_version')).toBe(
        String(MIGRATIONS.length),
      );
    });

    test('is made once by several that start at the same time', async () => {
      const database = await server.createDatabase();
      const stores = await Promise.all(Array.from({ length: 4 }, () => openStoreAt(server.url(database))));
      for (const store of stores) {
        expect(await store.progress()).toEqual({ sequence: 0, position: 0 });
        await store.close();
      }
    });

    test('of the next release serves a collector of before, which goes on and leaves it as it is', async () => {
      const database = await server.createDatabase();
      const before = await openStoreAt(server.url(database));
      const writer = await storeTurn(before);
      await writer.commit({ items: storeItems(1, 50), sequence: 50 }, 0);
      await (await openStoreAt(server.url(database), ALL)).close();
      const newest = await shape(database);
      expect(await writer.commit({ items: storeItems(51, 60), sequence: 60 }, 0)).toHaveLength(10);
      await writer.close();
      await before.close();
      const again = await openStoreAt(server.url(database));
      const next = await storeTurn(again);
      expect(await next.commit({ items: storeItems(61, 61), sequence: 61 }, 0)).toEqual(['stored']);
      expect((await again.run('cam'))?.results).toBe(61);
      await next.close();
      await again.close();
      expect(await shape(database)).toBe(newest);
    });

    test('that is no longer for older collectors is refused by them, and left alone', async () => {
      const database = await server.createDatabase();
      const next = { sql: 'ALTER TABLE runs RENAME COLUMN end_text TO ending', oldest: ALL.length + 1 };
      await (await openStoreAt(server.url(database), [...ALL, next])).close();
      const message = await refusal({ storeUrl: server.url(database) });
      expect(message).toBe(
        `STORE_FAILED: the schema stream-infer of the database at 127.0.0.1:${server.port}/${database} has version ${ALL.length + 1}, which is for collectors that know ${ALL.length + 1}, and this one knows ${MIGRATIONS.length}: run a newer collector, or set STORE_URL to another database`,
      );
    });

    test('may be in a schema that somebody else has made', async () => {
      const database = await server.createDatabase();
      await server.sql(database, `CREATE SCHEMA "stream-infer" AUTHORIZATION ${OWNER}`);
      await server.sql(database, `ALTER DATABASE ${database} OWNER TO postgres`);
      await (await openStoreAt(server.url(database))).close();
    });
  });

  describe('is refused', () => {
    test('with the wrong password or without a right, by name and without the password', async () => {
      const database = await server.createDatabase();
      const wrong = await refusal({
        storeUrl: `postgres://${OWNER}:wrong-secret@127.0.0.1:${server.port}/${database}`,
      });
      expect(wrong).toMatch(
        new RegExp(`^STORE_UNAUTHORIZED: .* 127.0.0.1:${server.port}/${database} refuses user ${OWNER} \\(password`),
      );
      expect(wrong).not.toContain('wrong-secret');
      await server.sql(database, `ALTER DATABASE ${database} OWNER TO postgres`);
      const powerless = await refusal({ storeUrl: server.url(database) });
      expect(powerless).toMatch(/^STORE_UNAUTHORIZED: .*permission denied for database/);
      expect(powerless).not.toContain(OWNER_PASSWORD);
    });

    test('where there is no such database, or one with another encoding', async () => {
      expect(await refusal({ storeUrl: server.url('nowhere') })).toMatch(/^STORE_FAILED: .*nowhere.*create it/);
      const ascii = await server.createDatabase("ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
      expect(await refusal({ storeUrl: server.url(ascii) })).toMatch(/^STORE_FAILED: .*SQL_ASCII.*UTF8/);
    });

    test('where the settings say two things, or nothing that can be read', async () => {
      const missing = join(tmpdir(), 'no-such-file');
      expect(await refusal({ storeUrlFile: missing })).toMatch(/^CREDENTIALS_INVALID: .*no-such-file.*STORE_URL_FILE/);
      expect(await refusal({ storeUrl: 'postgres://u:secret@h:x/d' })).toMatch(
        /^CONFIG_INVALID: STORE_URL (?!.*secret)/,
      );
    });
  });

  test('a changed password counts when the database is next connected to', async () => {
    const database = await server.createDatabase();
    const folder = await mkdtemp(join(tmpdir(), 'stream-infer-store-url-'));
    const file = join(folder, 'url');
    const url = (password: string): string => `postgres://changing:${password}@127.0.0.1:${server.port}/${database}\n`;
    await server.sql('postgres', `CREATE ROLE changing LOGIN PASSWORD 'first'`);
    await server.sql(database, `ALTER DATABASE ${database} OWNER TO changing`);
    await writeFile(file, url('first'));
    const store = await opened({ storeUrlFile: file });
    try {
      await server.sql('postgres', `ALTER ROLE changing PASSWORD 'second'`);
      await server.sql('postgres', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'changing'");
      await eventually('that it is away', () => store.state().kind === 'away');
      await expect(store.progress()).rejects.toMatchObject({ code: expect.stringMatching(/^STORE_UN/) });
      await writeFile(file, url('second'));
      await eventually('that it is back', () => store.state().kind === 'open');
      expect(await store.progress()).toEqual({ sequence: 0, position: 0 });
    } finally {
      await store.close();
      await rm(folder, { recursive: true });
    }
  });

  test.each([
    ['session', async (store: PostgresStore) => (await storeTurn(store)).close()],
    ['query', async (store: PostgresStore) => void (await store.progress())],
    ['removal', async (store: PostgresStore) => void (await store.forgetRuns({ endedThrough: 1 }))],
  ])('a changed password counts for a %s while older connections go on', async (kind, work) => {
    const database = await server.createDatabase();
    const folder = await mkdtemp(join(tmpdir(), 'stream-infer-store-url-'));
    const file = join(folder, 'url');
    const role = `changing_for_a_${kind}`;
    const url = (password: string): string => `postgres://${role}:${password}@127.0.0.1:${server.port}/${database}\n`;
    await server.sql('postgres', `CREATE ROLE ${role} LOGIN PASSWORD 'first'`);
    await server.sql(database, `ALTER DATABASE ${database} OWNER TO ${role}`);
    await writeFile(file, url('first'));
    const store = await opened({ storeUrlFile: file });
    try {
      await server.sql('postgres', `ALTER ROLE ${role} PASSWORD 'second'`);
      await writeFile(file, url('second'));
      await expect(work(store)).rejects.toMatchObject({ code: 'STORE_UNAUTHORIZED' });
      await eventually('that it counts', () =>
        work(store).then(
          () => true,
          () => false,
        ),
      );
    } finally {
      await store.close();
      await rm(folder, { recursive: true });
    }
  });

  describe('the turn to write', () => {
    test('is one at a time, passes on when it is given up, and a lost one stores nothing', async () => {
      const url = server.url(await server.createDatabase());
      const [one, two] = [await openStoreAt(url), await openStoreAt(url)];
      const first = await storeTurn(one);
      await first.commit({ items: storeItems(1, 10), sequence: 10 }, 0);
      let waits = 0;
      const taking = two.takeTurn(AbortSignal.timeout(20_000), () => {
        waits += 1;
      });
      await eventually('that the second waits', () => waits > 1);
      // The server ends the session: the first does not know yet.
      await server.sql(
        'postgres',
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid()",
      );
      const second = await taking;
      expect(await second?.resume(RESULTS)).toBe(11);
      await second?.commit({ items: storeItems(11, 20), sequence: 20 }, 0);
      await expect(first.commit({ items: storeItems(11, 12), sequence: 12 }, 0)).rejects.toMatchObject({
        code: 'STORE_UNREACHABLE',
      });
      await first.close();
      expect(await one.progress()).toEqual({ sequence: 20, position: 20 });
      await second?.close();
      const third = await storeTurn(one);
      expect(await third.commit({ items: storeItems(20, 21), sequence: 21 }, 0)).toEqual(['duplicate', 'stored']);
      await third.close();
      for (const store of [one, two]) await store.close();
    });

    test('is not waited for any longer when it is told to stop', async () => {
      const url = server.url(await server.createDatabase());
      const [one, two] = [await openStoreAt(url), await openStoreAt(url)];
      const first = await storeTurn(one);
      const stopping = new AbortController();
      const taking = two.takeTurn(stopping.signal, () => stopping.abort());
      expect(await taking).toBeUndefined();
      // A removal waits for a commit, and not for the turn.
      await first.commit({ items: storeItems(1, 10), sequence: 10 }, 0);
      expect(await two.removeOldest(4)).toEqual({ removed: 4, through: 4 });
      await setTimeout(6_000);
      // A writer that has nothing to write keeps its session.
      expect(await first.commit({ items: storeItems(11, 11), sequence: 11 }, 0)).toEqual(['stored']);
      await first.close();
      for (const store of [one, two]) await store.close();
    });
  });

  test('with TLS is verified by its certificate and name, as far as the URL says', { timeout: 60_000 }, async () => {
    const authority = await certificateAuthority();
    const other = await certificateAuthority();
    const secure = await startPostgres({ certificate: await authority.issue('localhost') });
    try {
      const database = await secure.createDatabase();
      const url = (host: string, mode: string): string =>
        `${secure.url(database).replace('127.0.0.1', host)}${mode && `?sslmode=${mode}`}`;
      const outcome = (host: string, mode: string, storeCa?: string): Promise<string> =>
        refusal({ storeUrl: url(host, mode), storeCa });
      const OPENED = 'it was opened';
      expect(await outcome('localhost', '', authority.ca)).toBe(OPENED);
      expect(await outcome('localhost', 'verify-full', authority.ca)).toBe(OPENED);
      expect(await outcome('127.0.0.1', 'verify-ca', authority.ca)).toBe(OPENED);
      expect(await outcome('127.0.0.1', 'require')).toBe(OPENED);
      expect(await outcome('127.0.0.1', 'verify-full', authority.ca)).toMatch(
        /^TLS_REFUSED: .*127\.0\.0\.1.*STORE_URL/,
      );
      expect(await outcome('localhost', 'verify-full', other.ca)).toMatch(/^TLS_REFUSED: .*STORE_CA/);
      expect(await outcome('localhost', 'verify-full')).toMatch(/^TLS_REFUSED: .*STORE_CA/);
      expect(await outcome('localhost', '')).toMatch(/^STORE_UNAUTHORIZED: .*no encryption/);
      expect(await refusal({ storeUrl: `${server.url('postgres')}?sslmode=require` })).toMatch(
        /^TLS_REFUSED: .*no TLS/,
      );
    } finally {
      await secure.stop();
      await authority.remove();
      await other.remove();
    }
  });
});
