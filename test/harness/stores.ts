/** The stores that a collector may keep results in, for tests that hold for each of them. */

import type { Fault } from '@stream-infer/core/fault';
import { afterAll, describe } from 'vitest';
import type { ResultStore } from '../../services/collector/src/result-store.ts';
import { openSqliteStore } from '../../services/collector/src/sqlite-store/result-store.ts';
import { storeFolder } from './collector.ts';
import { hasPostgres, type PostgresServer, startPostgres } from './postgres-server.ts';
import { openStoreAt } from './store-at.ts';

/** One store, empty at first. It may be opened again and again. */
export type TestStore = {
  /** The file, where it is one. */
  readonly path?: string;
  /** What a collector is told of it. */
  readonly environment: Readonly<Record<string, string>>;
  open(): Promise<ResultStore>;
  remove(): Promise<void>;
};

export type StoreKind = {
  /** With the reason in parentheses where it cannot be had. */
  readonly name: string;
  readonly available: boolean;
  readonly keepsFile: boolean;
  create(): Promise<TestStore>;
};

const throwFault = (fault: Fault): never => {
  throw fault;
};

async function createSqliteStore(): Promise<TestStore> {
  const { path, remove } = await storeFolder();
  return { path, environment: { STORE_PATH: path }, open: async () => openSqliteStore(path, throwFault), remove };
}

/** One for a test file, started when it is wanted first. */
let postgres: Promise<PostgresServer> | undefined;
afterAll(async () => (await postgres)?.stop());

async function createPostgresStore(): Promise<TestStore> {
  postgres ??= startPostgres();
  const server = await postgres;
  const database = await server.createDatabase();
  const url = server.url(database);
  return {
    environment: { STORE_URL: url },
    open: () => openStoreAt(url),
    remove: async () => void (await server.sql('postgres', `DROP DATABASE ${database} WITH (FORCE)`)),
  };
}

const SQLITE: StoreKind = { name: 'SQLite', available: true, keepsFile: true, create: createSqliteStore };
const POSTGRES: StoreKind = {
  name: 'PostgreSQL (postgresql of the distribution)',
  available: hasPostgres,
  keepsFile: false,
  create: createPostgresStore,
};

/** The same tests for each store; those of one that cannot be had are skipped. */
export function describeStores(body: (kind: StoreKind) => void): void {
  for (const kind of [SQLITE, POSTGRES]) describe.skipIf(!kind.available)(kind.name, () => body(kind));
}
