/** The store in a PostgreSQL database, which collectors share: one of them writes at a time, all of them read. */

import { setTimeout } from 'node:timers/promises';
import type { ResultStore, StoreTurns, StoreUpkeep } from '../result-store.ts';
import { lockKey } from './connection.ts';
import { Database, type DatabaseOptions, type DatabaseState } from './database.ts';
import { createResultQueries } from './result-queries.ts';
import { createResultRemoval } from './result-removal.ts';
import { createResultWriter } from './result-writer.ts';

export type PostgresStore = ResultStore & { state(): DatabaseState };

/** How often a collector that stands by looks whether the turn is free. */
const TURN_POLL_MS = 500;
/** What is acknowledged on the bus is to outlive the server, and a standby that is waited for is to have it. */
const DURABLE = `SELECT set_config('synchronous_commit', 'on', false)
  WHERE current_setting('synchronous_commit') IN ('off', 'local')`;
/** Beside its text what a result takes: the row's columns, and its entries in three indexes. */
const ROW_BYTES = 200;

/** Rejects with STORE_FAILED, STORE_UNAUTHORIZED and TLS_REFUSED. A database that does not answer is waited for. */
export async function openPostgresStore(options: DatabaseOptions): Promise<PostgresStore> {
  const database = await Database.open(options);
  return {
    ...createTurns(database),
    ...createResultQueries(database),
    ...createResultRemoval(database),
    ...createUpkeep(database),
    state: () => database.state(),
  };
}

const createTurns = (database: Database): StoreTurns => ({
  async takeTurn(signal, onWaiting) {
    const session = await database.session();
    try {
      while (!signal.aborted) {
        const [turn] = await session.query<{ taken: boolean }>(
          `SELECT pg_try_advisory_lock(${lockKey('turn', database.schema)}) AS taken`,
        );
        if (turn?.taken) {
          await session.query(DURABLE);
          return createResultWriter(session, database.schema);
        }
        onWaiting();
        await setTimeout(TURN_POLL_MS, undefined, { signal }).catch(() => undefined);
      }
    } catch (error) {
      await session.close();
      throw error;
    }
    await session.close();
    return undefined;
  },
});

const createUpkeep = (database: Database): StoreUpkeep => ({
  async size() {
    const [size] = await database.query<{ used: number; file: number }>(
      `SELECT record_bytes + results * ${ROW_BYTES} AS used,
         pg_total_relation_size('results') + pg_total_relation_size('series') + pg_total_relation_size('runs') AS file
       FROM progress`,
    );
    return { usedBytes: size?.used ?? 0, fileBytes: size?.file ?? 0 };
  },
  // What is free is taken for what comes next: autovacuum sees to it.
  shrink: async () => undefined,
  // A commit is where a power cut leaves it when it is told of.
  sync: async () => undefined,
  close: () => database.close(),
});
