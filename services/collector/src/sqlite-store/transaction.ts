/** All or nothing: what a transaction of the store is. */

import type { DatabaseSync } from 'node:sqlite';

/** Runs `work` inside a transaction; what it throws rolls everything back. */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
