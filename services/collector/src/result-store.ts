/**
 * The store of results: one SQLite file, written by one collector. Who opens it closes it. Calls are synchronous and short; what may be
 * long is split into pages and steps by the caller.
 */

import type { DatabaseSync } from 'node:sqlite';
import { createResultQueries, type ResultQueries } from './result-queries.ts';
import { createResultRemoval, type ResultRemoval } from './result-removal.ts';
import { createResultWriter, type ResultWriter } from './result-writer.ts';
import { openStoreDatabase } from './store-database.ts';

export type StoreUpkeep = {
  /** Bytes of the pages in use, and of the file. */
  size(): { readonly usedBytes: number; readonly fileBytes: number };
  /** Gives free pages of about so many bytes back to the file system. */
  shrink(bytes: number): void;
  /** Puts all that is committed where a power cut leaves it; false where something hindered that. */
  checkpoint(): boolean;
  /** Idempotent. */
  close(): void;
};

export type ResultStore = ResultWriter & ResultQueries & ResultRemoval & StoreUpkeep;

/** Throws STORE_FAILED. */
export function openResultStore(path: string): ResultStore {
  const database = openStoreDatabase(path);
  return {
    ...createResultWriter(database),
    ...createResultQueries(database),
    ...createResultRemoval(database),
    ...createUpkeep(database),
  };
}

function createUpkeep(database: DatabaseSync): StoreUpkeep {
  const pageSize = pragma(database, 'page_size')();
  const pageCount = pragma(database, 'page_count');
  const freePages = pragma(database, 'freelist_count');
  const checkpoint = database.prepare('PRAGMA wal_checkpoint(PASSIVE)');
  return {
    size() {
      const pages = pageCount();
      return { usedBytes: (pages - freePages()) * pageSize, fileBytes: pages * pageSize };
    },
    shrink: (bytes) => database.exec(`PRAGMA incremental_vacuum(${Math.ceil(bytes / pageSize)})`),
    checkpoint() {
      const { busy, log, checkpointed } = checkpoint.get() as { busy: number; log: number; checkpointed: number };
      return busy === 0 && log === checkpointed;
    },
    close() {
      if (database.isOpen) database.close();
    },
  };
}

/** Reads a PRAGMA that is one integer. */
function pragma(database: DatabaseSync, name: string): () => number {
  const statement = database.prepare(`PRAGMA ${name}`);
  return () => Number(Object.values(statement.get() ?? {})[0]);
}
