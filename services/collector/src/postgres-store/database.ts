/**
 * The database as one thing that is there or away. A connection of its own asks each second whether it still is; when it is not, all
 * connections are dropped, as they are when it refuses a further one, and it is looked for anew, at each of its hosts, until one takes writes: it may have been started again, or
 * another may have taken its place. What is asked meanwhile is refused at once, with the fault that says why.
 */

import { Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { Fault, toFault } from '@stream-infer/core/fault';
import { type ClientConfig, Pool } from 'pg';
import { isStoreAbsence } from '../store-absence.ts';
import { type Connection, clientTransaction, openConnection, type Query, TYPES } from './connection.ts';
import { checkDatabase } from './database-check.ts';
import { MIGRATIONS, type Migration, migrate } from './migrations.ts';
import type { StoreHost } from './store-address.ts';
import { isRefusal, storeFault } from './store-fault.ts';
import type { StoreTarget } from './store-target.ts';

export type DatabaseState =
  /** For the first time. */
  | { readonly kind: 'connecting'; readonly fault: Fault }
  | { readonly kind: 'open' }
  /** It is looked for. */
  | { readonly kind: 'away'; readonly fault: Fault }
  /** It cannot be used, whoever asks again. */
  | { readonly kind: 'failed'; readonly fault: Fault };

export type DatabaseOptions = {
  /** Read anew for each attempt to connect, so that a changed password restarts nothing. Throws CONFIG_INVALID and CREDENTIALS_INVALID. */
  readonly target: () => StoreTarget;
  /** Of our tables; installations have each their own. */
  readonly schema: string;
  /** Told of what fails and is tried again. */
  report(fault: Fault): void;
  /** Told of each change, and of what was before. */
  onState(state: DatabaseState, before: DatabaseState): void;
  /** Other ones than those that there are, for tests. */
  readonly migrations?: readonly Migration[];
};

const CONNECT_MS = 5_000;
const PING_MS = 1_000;
const FAREWELL_MS = 500;
/** No statement of ours is meant to take so long: all come in pages and steps. */
const STATEMENT_MS = 20_000;
const FIRST_RETRY_MS = 200;
const MOST_RETRY_MS = 5_000;
const POOL_CONNECTIONS = 8;
/** The server ends a session that says nothing for so long: whoever held a lock in it stands still. */
const SILENT_SESSION_MS = 5_000;

const CONNECTING: DatabaseState & { readonly kind: 'connecting' } = {
  kind: 'connecting',
  fault: new Fault('STORE_UNREACHABLE', 'the database of the results is being connected to'),
};

type Opened = {
  readonly config: ClientConfig;
  readonly pool: Pool;
  readonly toError: (error: unknown) => Error;
  /** Aborted with why, where the database refuses a connection that is to be with the others. */
  readonly refusal: AbortController;
};

export class Database {
  readonly schema: string;
  readonly #options: DatabaseOptions;
  readonly #connections = new Set<Connection>();
  readonly #sockets = new Set<Socket>();
  readonly #stopping = new AbortController();
  #state: DatabaseState = CONNECTING;
  #opened: Opened | undefined;
  #openings = 0;
  #living: Promise<void> | undefined;

  private constructor(options: DatabaseOptions) {
    this.#options = options;
    this.schema = options.schema;
  }

  /** Resolves when it is there, or known to be away. Rejects where it refuses us, or cannot be used. */
  static async open(options: DatabaseOptions): Promise<Database> {
    const database = new Database(options);
    const first = Promise.withResolvers<DatabaseState>();
    database.#living = database.#live(first.resolve);
    const state = await first.promise;
    if (state.kind === 'failed' || (state.kind === 'away' && state.fault.code !== 'STORE_UNREACHABLE')) {
      await database.close();
      throw state.fault;
    }
    return database;
  }

  state(): DatabaseState {
    return this.#state;
  }

  /** How often it was opened: each time it may be another one, or an older one. */
  openings(): number {
    return this.#openings;
  }

  /** In any session. */
  readonly query: Query = async <Row extends object>(text: string, values?: readonly unknown[]) => {
    const opened = this.#current();
    try {
      return (await opened.pool.query<Row>(text, values as unknown[])).rows;
    } catch (error) {
      throw this.#told(opened, error);
    }
  };

  /** All or nothing. */
  async transaction<T>(work: (query: Query) => Promise<T>): Promise<T> {
    const opened = this.#current();
    const failed = (error: unknown): never => {
      throw this.#told(opened, error);
    };
    const client = await opened.pool.connect().catch(failed);
    // The pool listens only while it has the client; of a connection that is lost the next query tells.
    const unheard = (): void => undefined;
    client.on('error', unheard);
    let broken = true;
    try {
      const query: Query = async <Row extends object>(text: string, values?: readonly unknown[]) =>
        (await client.query<Row>(text, values as unknown[]).catch(failed)).rows;
      const result = await clientTransaction(query, work);
      broken = false;
      return result;
    } finally {
      client.off('error', unheard);
      client.release(broken);
    }
  }

  /** A session of its own, which is lost when the process stands still. */
  async session(): Promise<Connection> {
    const opened = this.#current();
    const { config } = opened;
    const options = `${config.options} -c idle_session_timeout=${SILENT_SESSION_MS}`;
    const silent = { options, idle_in_transaction_session_timeout: SILENT_SESSION_MS };
    return this.#connect({ ...config, ...silent }, (error) => this.#told(opened, error));
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#drop();
    await this.#living;
  }

  async #live(known: (state: DatabaseState) => void): Promise<void> {
    const { signal } = this.#stopping;
    for (let losses = 0; !signal.aborted; losses += 1) {
      try {
        await this.#once(() => {
          losses = 0;
          this.#become({ kind: 'open' });
          known(this.#state);
        });
      } catch (error) {
        if (signal.aborted) break;
        const fault = toFault(error, 'STORE_FAILED', 'the database of the results cannot be used');
        if (isStoreAbsence(fault)) this.#options.report(fault);
        this.#become({ kind: isStoreAbsence(fault) ? 'away' : 'failed', fault });
        known(this.#state);
        if (this.#state.kind === 'failed') break;
      } finally {
        await this.#drop();
      }
      const limitMs = Math.min(MOST_RETRY_MS, FIRST_RETRY_MS * 2 ** losses);
      await setTimeout(limitMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
    }
  }

  /** From finding it to losing it. Rejects with why. */
  async #once(onOpen: () => void): Promise<void> {
    const target = this.#options.target();
    let control: Connection | undefined;
    let fault: unknown;
    for (const host of target.address.hosts) {
      try {
        control = await this.#reach(target, host);
        break;
      } catch (error) {
        // Of several hosts what the first says is told, unless one says more than that it is away.
        if (fault === undefined || !isStoreAbsence(error)) fault = error;
      }
    }
    if (control === undefined) throw fault;
    onOpen();
    const ended = AbortSignal.any([this.#stopping.signal, this.#current().refusal.signal]);
    for (;;) {
      await setTimeout(PING_MS, undefined, { signal: ended }).catch(() => ended.throwIfAborted());
      await control.query('SELECT 1');
    }
  }

  /** Opens the pool at a host that takes writes, once its schema is what is known here. */
  async #reach(target: StoreTarget, { host, port }: StoreHost): Promise<Connection> {
    const { schema, migrations = MIGRATIONS } = this.#options;
    const { user, password, database } = target.address;
    const name = `${host}:${port}/${database}`;
    const toError = (error: unknown): Error =>
      storeFault(error, { name, user, host, ca: target.caPath }) ??
      (error instanceof Error ? error : new Error(String(error)));
    const config: ClientConfig = {
      host,
      port,
      user,
      database,
      ssl: target.ssl,
      password: password ?? '',
      application_name: `stream-infer collector ${schema}`,
      connectionTimeoutMillis: CONNECT_MS,
      statement_timeout: STATEMENT_MS,
      query_timeout: STATEMENT_MS + 2_000,
      idle_in_transaction_session_timeout: STATEMENT_MS,
      keepAlive: true,
      options: `-c search_path="${schema}"`,
      stream: this.#newSocket,
    };
    const control = await this.#connect({ ...config, query_timeout: CONNECT_MS }, toError);
    try {
      await checkDatabase(control, name);
      const migrating = await this.#connect({ ...config, statement_timeout: 0, query_timeout: 0 }, toError);
      await migrate(migrating, { schema, name, migrations }).finally(() => void migrating.close());
    } catch (error) {
      // Not waited for: it may answer nothing any more.
      void control.close();
      throw error;
    }
    const pool = new Pool({ ...config, max: POOL_CONNECTIONS, types: TYPES });
    // Of an idle connection; the ping tells whether the database is away.
    pool.on('error', () => undefined);
    this.#openings += 1;
    this.#opened = { config, pool, toError, refusal: new AbortController() };
    return control;
  }

  async #connect(config: ClientConfig, toError: (error: unknown) => Error): Promise<Connection> {
    const connection = await openConnection(config, toError);
    this.#connections.add(connection);
    const close = (): Promise<void> => {
      this.#connections.delete(connection);
      return connection.close();
    };
    return { ...connection, close };
  }

  readonly #newSocket = (): Socket => {
    const socket = new Socket();
    this.#sockets.add(socket);
    return socket.once('close', () => this.#sockets.delete(socket));
  };

  #current(): Opened {
    if (this.#state.kind !== 'open') throw this.#state.fault;
    if (this.#opened === undefined) throw CONNECTING.fault;
    return this.#opened;
  }

  #told({ toError, refusal }: Opened, thrown: unknown): Error {
    const error = toError(thrown);
    if (isStoreAbsence(error) && !this.#stopping.signal.aborted) this.#options.report(error);
    // With what the settings say by now it may be let in.
    if (isRefusal(error)) refusal.abort(error);
    return error;
  }

  #become(state: DatabaseState): void {
    const before = this.#state;
    this.#state = state;
    this.#options.onState(state, before);
  }

  async #drop(): Promise<void> {
    const pool = this.#opened?.pool;
    this.#opened = undefined;
    const connections = [...this.#connections];
    this.#connections.clear();
    const ended = Promise.all([pool?.end(), ...connections.map((connection) => connection.close())]);
    // A server that stands still answers no farewell.
    await Promise.race([ended, setTimeout(FAREWELL_MS, undefined, { ref: false })]);
    for (const socket of this.#sockets) socket.destroy();
    await ended;
  }
}
