/** The store in one SQLite file. Calls are made of synchronous ones, short enough that nothing is held up. */

import type { DatabaseSync } from 'node:sqlite';
import type { Fault } from '@stream-infer/core/fault';
import type { ResultStore, StoreTurns, StoreUpkeep } from '../result-store.ts';
import { openStoreDatabase } from './database.ts';
import { createResultQueries } from './result-queries.ts';
import { createResultRemoval } from './result-removal.ts';
import { createResultWriter } from './result-writer.ts';
import { NO_LOG, openWriteAheadLog, type WriteAheadLog } from './write-ahead-log.ts';

/**
 * Throws STORE_FAILED.
 * @param report told of what fails and is tried again
 */
export function openSqliteStore(path: string, report: (fault: Fault) => void): ResultStore {
  const database = openStoreDatabase(path);
  const log = database.location() === null ? NO_LOG : openWriteAheadLog({ path, report });
  return {
    ...createTurns(database),
    ...createResultQueries(database),
    ...createResultRemoval(database),
    ...createUpkeep(database, log),
  };
}

/** The file is one collector's: its turn never ends. */
const createTurns = (database: DatabaseSync): StoreTurns => ({
  takeTurn: async (signal) => (signal.aborted ? undefined : createResultWriter(database)),
});

function createUpkeep(database: DatabaseSync, log: WriteAheadLog): StoreUpkeep {
  const pageSize = pragma(database, 'page_size')();
  const pageCount = pragma(database, 'page_count');
  const freePages = pragma(database, 'freelist_count');
  return {
    async size() {
      const pages = pageCount();
      return { usedBytes: (pages - freePages()) * pageSize, fileBytes: pages * pageSize };
    },
    shrink: async (bytes) => database.exec(`PRAGMA incremental_vacuum(${Math.ceil(bytes / pageSize)})`),
    sync: () => log.sync(),
    async close() {
      await log.close();
      if (database.isOpen) database.close();
    },
  };
}

/** Reads a PRAGMA that is one integer. */
function pragma(database: DatabaseSync, name: string): () => number {
  const statement = database.prepare(`PRAGMA ${name}`);
  return () => Number(Object.values(statement.get() ?? {})[0]);
}
