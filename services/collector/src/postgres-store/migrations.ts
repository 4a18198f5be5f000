/**
 * The schema of the database, one migration a version. What is here was applied somewhere: it is never changed, and what is to be different comes
 * as another version behind it.
 *
 * Results are keyed by position, so that they are appended, replayed and removed in order; `place` holds each once (I5). That each
 * place is unique, whenever its result came, rules out partitions by position or time. Names of streams, runs and algorithms
 * are ordered by their bytes, as everywhere.
 */

import { Fault } from '@stream-infer/core/fault';
import { escapeIdentifier } from 'pg';
import { type Connection, lockKey } from './connection.ts';

export const MIGRATIONS: readonly string[] = [
  `
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
];

export type SchemaPlace = {
  readonly schema: string;
  /** host:port/database, for messages. */
  readonly name: string;
  readonly migrations: readonly string[];
};

/**
 * Brings the schema up to the newest version, made if it is not there: one transaction, one process at a time. Rejects with STORE_FAILED where it is
 * newer than what is known here.
 */
export async function migrate(connection: Connection, { schema, name, migrations }: SchemaPlace): Promise<void> {
  const known = migrations.length;
  const refuseNewer = (version: number): void => {
    if (version > known)
      throw new Fault(
        'STORE_FAILED',
        `the schema ${schema} of the database at ${name} has version ${version}, and this collector knows ${known}: run a newer collector, or set STORE_URL to another database`,
      );
  };
  const found = await versionOf(connection, schema);
  refuseNewer(found);
  if (found === known) return;
  await connection.transaction(async (query) => {
    await query(`SELECT pg_advisory_xact_lock(${lockKey('migration', schema)})`);
    const version = await versionOf({ query }, schema);
    refuseNewer(version);
    for (const sql of version === 0 ? [creation(schema), ...migrations] : migrations.slice(version)) await query(sql);
    await query('UPDATE schema_version SET version = $1', [known]);
  });
}

const creation = (schema: string): string => `
  DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = ${literal(schema)}) THEN
      CREATE SCHEMA ${escapeIdentifier(schema)};
    END IF;
  END $$;
  CREATE TABLE schema_version (version integer NOT NULL);
  INSERT INTO schema_version VALUES (0);`;

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** 0 where there is none. */
async function versionOf({ query }: Pick<Connection, 'query'>, schema: string): Promise<number> {
  // In the tables of the catalogue: a name that was looked up in vain stays unknown to the session until it locks something.
  const found = await query("SELECT FROM pg_tables WHERE schemaname = $1 AND tablename = 'schema_version'", [schema]);
  if (found.length === 0) return 0;
  const [row] = await query<{ version: number }>(`SELECT version FROM ${escapeIdentifier(schema)}.schema_version`);
  return row?.version ?? 0;
}
