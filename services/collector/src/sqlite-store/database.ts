/**
 * The SQLite file (D8): its schema, one migration a version, and how it is opened.
 *
 * WAL with `synchronous = NORMAL`: a commit outlives the process at once, and a power cut once the log is synced (write-ahead-log.ts); the
 * file is never torn. That is enough, since the store's progress in RESULTS is committed with the results: after a power cut both stand
 * where the last sync left them, and what came later is read again from RESULTS, which is trimmed only after a sync.
 * FULL would cost an fsync for each batch and give no more.
 *
 * Results are keyed by position, so that they are appended, replayed and removed in order; `place` holds each once (I5).
 */

import { DatabaseSync } from 'node:sqlite';
import { Fault } from '@stream-infer/core/fault';

const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE progress (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    created TEXT NOT NULL,
    base INTEGER NOT NULL,
    sequence INTEGER NOT NULL
  ) STRICT;
  INSERT INTO progress VALUES (1, '', 0, 0);

  CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    stream TEXT NOT NULL,
    run TEXT NOT NULL,
    first_position INTEGER NOT NULL,
    end_position INTEGER,
    ended_at_ms INTEGER,
    end TEXT,
    UNIQUE (stream, run)
  ) STRICT;
  CREATE INDEX runs_by_age ON runs (stream, first_position);
  CREATE INDEX runs_by_end ON runs (end_position) WHERE end_position IS NOT NULL;

  CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    algorithm TEXT NOT NULL,
    results INTEGER NOT NULL DEFAULT 0,
    errors INTEGER NOT NULL DEFAULT 0,
    UNIQUE (run_id, algorithm)
  ) STRICT;

  CREATE TABLE results (
    position INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL,
    series_id INTEGER NOT NULL,
    n INTEGER NOT NULL,
    key_ms INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    stored_at_ms INTEGER NOT NULL,
    record TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX place ON results (run_id, n, series_id);
  CREATE INDEX results_by_time ON results (series_id, key_ms, n);
  `,
];

const PRAGMAS = `
  PRAGMA busy_timeout = 5000;
  PRAGMA auto_vacuum = INCREMENTAL;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA cache_size = -16000;
  PRAGMA wal_autocheckpoint = 0;
  PRAGMA journal_size_limit = 0;
`;

/** Opens and migrates the file, made if it is not there; `:memory:` keeps nothing. Throws STORE_FAILED. */
export function openStoreDatabase(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path);
    database.exec(PRAGMAS);
    migrate(database, path);
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof Fault) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Fault(
      'STORE_FAILED',
      `the result store ${path} cannot be opened: ${reason}: set storePath to a SQLite file, or a new one in a folder that exists`,
      { cause: error },
    );
  }
}

function migrate(database: DatabaseSync, path: string): void {
  const version = Number(database.prepare('PRAGMA user_version').get()?.user_version);
  if (version > MIGRATIONS.length)
    throw new Fault(
      'STORE_FAILED',
      `the result store ${path} has schema version ${version}, and this collector knows ${MIGRATIONS.length}: run a newer collector, or set storePath to another file`,
    );
  for (const [index, sql] of MIGRATIONS.entries()) {
    if (index < version) continue;
    database.exec(`BEGIN IMMEDIATE; ${sql} PRAGMA user_version = ${index + 1}; COMMIT;`);
  }
}
