/** The store in one SQLite file. Calls are made of synchronous ones, short enough that nothing is held up. */

import type { DatabaseSync } from 'node:sqlite';
import type { ResultStore, StoreTurns, StoreUpkeep } from '../result-store.ts';
import { openStoreDatabase } from './database.ts';
import { createResultQueries } from './result-queries.ts';
import { createResultRemoval } from './result-removal.ts';
import { createResultWriter } from './result-writer.ts';

/** Throws STORE_FAILED. */
export function openSqliteStore(path: string): ResultStore {
  const database = openStoreDatabase(path);
  return {
    ...createTurns(database),
    ...createResultQueries(database),
    ...createResultRemoval(database),
    ...createUpkeep(database),
  };
}

/** The file is one collector's: its turn never ends. */
const createTurns = (database: DatabaseSync): StoreTurns => ({
  takeTurn: async (signal) => (signal.aborted ? undefined : createResultWriter(database)),
});

function createUpkeep(database: DatabaseSync): StoreUpkeep {
  const pageSize = pragma(database, 'page_size')();
  const pageCount = pragma(database, 'page_count');
  const freePages = pragma(database, 'freelist_count');
  const checkpoint = database.prepare('PRAGMA wal_checkpoint(PASSIVE)');
  return {
    async size() {
      const pages = pageCount();
      return { usedBytes: (pages - freePages()) * pageSize, fileBytes: pages * pageSize };
    },
    shrink: async (bytes) => database.exec(`PRAGMA incremental_vacuum(${Math.ceil(bytes / pageSize)})`),
    async checkpoint() {
      const { busy, log, checkpointed } = checkpoint.get() as { busy: number; log: number; checkpointed: number };
      return busy === 0 && log === checkpointed;
    },
    async close() {
      if (database.isOpen) database.close();
    },
  };
}

/** Reads a PRAGMA that is one integer. */
function pragma(database: DatabaseSync, name: string): () => number {
  const statement = database.prepare(`PRAGMA ${name}`);
  return () => Number(Object.values(statement.get() ?? {})[0]);
}
