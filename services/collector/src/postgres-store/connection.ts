/**
 * One connection to the database with a session of its own: what is asked is asked one after the other. What fails is a fault that
 * names the database, where it is one of the database or of the way to it.
 */

import { Client, type ClientConfig, types } from 'pg';

export type Query = <Row extends object>(text: string, values?: readonly unknown[]) => Promise<Row[]>;

export type Connection = {
  readonly query: Query;
  /** All or nothing; nobody else's statement comes in between. */
  transaction<T>(work: (query: Query) => Promise<T>): Promise<T>;
  /** Ends the session, whatever it is doing. Idempotent. */
  close(): Promise<void>;
};

/** Kinds of advisory locks; with the schema, so that installations in one database have locks of their own. */
const LOCKS = { migration: 1, turn: 2, writing: 3 } as const;
/** Begins the keys of our locks: others may lock in the database too. */
const LOCK_CLASS = 0x5349_0000;

/** The two keys of an advisory lock, as SQL. */
export const lockKey = (kind: keyof typeof LOCKS, schema: string): string =>
  `${LOCK_CLASS + LOCKS[kind]}, hashtext('${schema.replaceAll("'", "''")}')`;

/** Counts and positions are integers far below 2^53. */
const INT8 = 20;
export const TYPES = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary'): unknown =>
    oid === INT8 ? Number : types.getTypeParser(oid, format as 'text')) as typeof types.getTypeParser,
};

/** Runs `work` inside a transaction of the client; what it throws rolls everything back. */
export async function clientTransaction<T>(query: Query, work: (query: Query) => Promise<T>): Promise<T> {
  await query('BEGIN');
  try {
    const result = await work(query);
    await query('COMMIT');
    return result;
  } catch (error) {
    // Where the connection is gone, so is the transaction.
    await query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** @param toError makes what is thrown out of what failed. */
export async function openConnection(config: ClientConfig, toError: (error: unknown) => Error): Promise<Connection> {
  const client = new Client({ ...config, types: TYPES });
  // Of a connection that is lost its next query tells; without a listener this would end the process.
  client.on('error', () => undefined);
  const failed = (error: unknown): never => {
    throw toError(error);
  };
  let last: Promise<unknown> = Promise.resolve();
  const queued = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
  const query: Query = async <Row extends object>(text: string, values?: readonly unknown[]) =>
    (await client.query<Row>(text, values as unknown[]).catch(failed)).rows;
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= client.end().catch(() => undefined);
    return closing;
  };
  try {
    await client.connect();
  } catch (error) {
    await close();
    throw toError(error);
  }
  return {
    query: (text, values) => queued(() => query(text, values)),
    transaction: (work) => queued(() => clientTransaction(query, work)),
    close,
  };
}
