/**
 * The schema of the database, one migration a version. What is here was applied somewhere: it is never changed, and what is to be different comes
 * as another version behind it. Collectors of one release and of the next share a database during an upgrade, and until a rollback: what
 * the one of before reads or writes is taken away a release later at the earliest.
 *
 * Results are keyed by position, so that they are appended, replayed and removed in order; `place` holds each once (I5). That each
 * place is unique, whenever its result came, rules out partitions by position or time. Names of streams, runs and algorithms
 * are ordered by their bytes, as everywhere.
 */

import { Fault } from '@stream-infer/core/fault';
import { escapeIdentifier } from 'pg';
import { type Connection, lockKey } from './connection.ts';

export type Migration = {
  readonly sql: string;
  /** Collectors that know this many migrations, or more, may go on with the schema behind it. */
  readonly oldest: number;
};

export const MIGRATIONS: readonly Migration[] = [
  {
    oldest: 1,
    sql: `
  CREATE TABLE progress (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    created text NOT NULL,
    base bigint NOT NULL,
    sequence bigint NOT NULL,
    results bigint NOT NULL,
    record_bytes bigint NOT NULL
  );
  INSERT INTO progress (created, base, sequence, results, record_bytes) VALUES ('', 0, 0, 0, 0);

  CREATE TABLE runs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream text COLLATE "C" NOT NULL,
    run text COLLATE "C" NOT NULL,
    first_position bigint NOT NULL,
    end_position bigint,
    ended_at_ms bigint,
    end_text text,
    UNIQUE (stream, run)
  );
  CREATE INDEX runs_by_age ON runs (stream, first_position);
  CREATE INDEX runs_by_end ON runs (end_position) WHERE end_position IS NOT NULL;

  CREATE TABLE series (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id bigint NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    algorithm text COLLATE "C" NOT NULL,
    results bigint NOT NULL DEFAULT 0,
    errors bigint NOT NULL DEFAULT 0,
    UNIQUE (run_id, algorithm)
  ) WITH (fillfactor = 50);

  CREATE TABLE results (
    position bigint PRIMARY KEY,
    run_id bigint NOT NULL,
    series_id bigint NOT NULL,
    n bigint NOT NULL,
    key_ms bigint NOT NULL,
    rank smallint NOT NULL,
    stored_at_ms bigint NOT NULL,
    record text NOT NULL
  ) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05);
  CREATE UNIQUE INDEX place ON results (run_id, n, series_id);
  CREATE INDEX results_by_time ON results (series_id, key_ms, n);
  `,
  },
];

export type SchemaPlace = {
  readonly schema: string;
  /** host:port/database, for messages. */
  readonly name: string;
  readonly migrations: readonly Migration[];
};

/**
 * Brings the schema up to the newest version, made if it is not there: one transaction, one process at a time. One that is newer stays as it is.
 * Rejects with STORE_FAILED where that is no longer for this collector.
 */
export async function migrate(connection: Connection, { schema, name, migrations }: SchemaPlace): Promise<void> {
  const known = migrations.length;
  const needsMigration = ({ version, oldest }: SchemaVersion): boolean => {
    if (oldest <= known) return version < known;
    throw new Fault(
      'STORE_FAILED',
      `the schema ${schema} of the database at ${name} has version ${version}, which is for collectors that know ${oldest}, and this one knows ${known}: run a newer collector, or set STORE_URL to another database`,
    );
  };
  if (!needsMigration(await versionOf(connection, schema))) return;
  await connection.transaction(async (query) => {
    await query(`SELECT pg_advisory_xact_lock(${lockKey('migration', schema)})`);
    const found = await versionOf({ query }, schema);
    if (!needsMigration(found)) return;
    if (found.version === 0) await query(creation(schema));
    for (const { sql } of migrations.slice(found.version)) await query(sql);
    await query('UPDATE schema_version SET version = $1, oldest = $2', [known, migrations.at(-1)?.oldest]);
  });
}

const creation = (schema: string): string => `
  DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = ${literal(schema)}) THEN
      CREATE SCHEMA ${escapeIdentifier(schema)};
    END IF;
  END $$;
  CREATE TABLE schema_version (version integer NOT NULL, oldest integer NOT NULL);
  INSERT INTO schema_version VALUES (0, 0);`;

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

type SchemaVersion = {
  /** 0 where there is none. */
  readonly version: number;
  readonly oldest: number;
};

const NO_SCHEMA: SchemaVersion = { version: 0, oldest: 0 };

async function versionOf({ query }: Pick<Connection, 'query'>, schema: string): Promise<SchemaVersion> {
  // In the tables of the catalogue: a name that was looked up in vain stays unknown to the session until it locks something.
  const found = await query("SELECT FROM pg_tables WHERE schemaname = $1 AND tablename = 'schema_version'", [schema]);
  if (found.length === 0) return NO_SCHEMA;
  const [row] = await query<SchemaVersion>(`SELECT version, oldest FROM ${escapeIdentifier(schema)}.schema_version`);
  return row ?? NO_SCHEMA;
}
