/** What a PostgreSQL that others configure, restore and meddle with makes of commits and removals. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PostgresStore } from '../../services/collector/src/postgres-store/result-store.ts';
import { eventually } from '../harness/eventually.ts';
import { hasPostgres, type PostgresServer, startPostgres } from '../harness/postgres-server.ts';
import { openStoreAt, storeItems, storeTurn } from '../harness/store-at.ts';

describe.skipIf(!hasPostgres)('PostgreSQL (postgresql of the distribution)', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.stop());

  test('an older state of the database is removed from its beginning again', async () => {
    const database = await server.createDatabase();
    const store = await openStoreAt(server.url(database));
    const first = await storeTurn(store);
    await first.commit({ items: storeItems(1, 10), sequence: 10 }, 0);
    expect(await store.removeOldest(4)).toEqual({ removed: 4, through: 4 });
    expect(await store.removeOldest(4)).toEqual({ removed: 4, through: 8 });
    await first.close();
    await server.sql(
      database,
      `TRUNCATE "stream-infer".results, "stream-infer".series, "stream-infer".runs;
       UPDATE "stream-infer".progress SET created = '', base = 0, sequence = 0, results = 0, record_bytes = 0`,
    );
    await server.sql(
      'postgres',
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database}'`,
    );
    await eventually('that it is away', () => store.state().kind === 'away');
    await eventually('that it is back', () => store.state().kind === 'open');
    const second = await storeTurn(store);
    await second.commit({ items: storeItems(1, 10), sequence: 10 }, 0);
    expect(await store.removeOldest(4)).toEqual({ removed: 4, through: 4 });
    await second.close();
    await store.close();
  });

  test('that lets a table wait is told apart from one that is away', { timeout: 60_000 }, async () => {
    const database = await server.createDatabase();
    const store = await openStoreAt(server.url(database));
    const holding = `BEGIN; LOCK TABLE "stream-infer".progress; SELECT pg_sleep(60)`;
    const held = server.sql(database, holding).catch(() => undefined);
    const isHeld = `SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted
      AND relation = '"stream-infer".progress'::regclass`;
    await eventually('that the table is held', async () => (await server.sql(database, isHeld)) === '1');
    const asked = Array.from({ length: 9 }, () => store.progress());
    const last = asked.at(-1);
    for (const each of asked) void each.catch(() => undefined);
    await expect(last).rejects.toThrow(/has no connection free/);
    await server.sql(
      database,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%'`,
    );
    await held;
    await Promise.all(asked.slice(0, 8));
    await store.close();
  });

  describe('a commit', () => {
    /** What a trigger of that kind does once results are to be stored. */
    const withTrigger = async (table: string, body: string): Promise<PostgresStore> => {
      const database = await server.createDatabase();
      await server.sql(database, `ALTER DATABASE ${database} SET synchronous_commit = off`);
      const store = await openStoreAt(server.url(database));
      await server.sql(
        database,
        `CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} END $$;
         CREATE TRIGGER meddle BEFORE INSERT ON "stream-infer".${table} FOR EACH ROW EXECUTE FUNCTION meddle()`,
      );
      return store;
    };

    test('outlives the server, also where the database waits for none', async () => {
      const store = await withTrigger('results', `NEW.record = current_setting('synchronous_commit'); RETURN NEW;`);
      const writer = await storeTurn(store);
      await writer.commit({ items: storeItems(1, 1), sequence: 1 }, 0);
      const id = (await store.run('cam'))?.id ?? 0;
      expect((await store.records({ runId: id, limit: 1 })).rows.map(({ record }) => record)).toEqual(['on']);
      await writer.close();
      await store.close();
    });

    test.each([
      ['runs', 'run cam.r1'],
      ['series', 'series 1.faces'],
    ])('is refused where the table %s keeps nothing', async (table, named) => {
      const store = await withTrigger(table, 'RETURN NULL;');
      const writer = await storeTurn(store);
      await expect(writer.commit({ items: storeItems(1, 1), sequence: 1 }, 0)).rejects.toMatchObject({
        code: 'STORE_FAILED',
        message: expect.stringContaining(`keeps no ${named}`),
      });
      await writer.close();
      await store.close();
    });
  });
});
