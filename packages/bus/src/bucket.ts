/**
 * A KV bucket of JSON values, file-backed: it survives a restart of everything. Revisions are fencing tokens (D11): a write
 * that names a revision is refused once another has written.
 *
 * Anybody may write into a bucket. What is no value of it is told of and passed over: what stood there before goes on to count for who
 * watches, and the next write of the key takes its place, whatever revision it names.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { KV, KvEntry } from 'nats';
import { NatsError, StorageType } from 'nats';
import type { Bus } from './bus.ts';
import { busErrorKind } from './bus-error.ts';
import { createInbox } from './inbox.ts';
import { madeOnce } from './made-once.ts';
import { bucketStream, bucketSubjectPrefix } from './topology.ts';

export type Entry<T> = { readonly key: string; readonly value: T; readonly revision: number };

export type Change<T> =
  | { readonly kind: 'put'; readonly key: string; readonly value: T; readonly revision: number }
  /** `revision` is higher than that of what stood there. */
  | { readonly kind: 'deleted'; readonly key: string; readonly revision: number }
  /** All that stood in the bucket when the watch began has been told. */
  | { readonly kind: 'current' };

export type Bucket<T> = {
  get(key: string): Promise<Entry<T> | undefined>;
  entries(): Promise<Entry<T>[]>;
  /** The new revision. */
  put(key: string, value: T): Promise<number>;
  /** The new revision, or undefined where the key exists. */
  create(key: string, value: T): Promise<number | undefined>;
  /** The new revision, or undefined where `revision` is not the newest any more. */
  update(key: string, value: T, revision: number): Promise<number | undefined>;
  /** False where a `revision` is given and is not the newest any more. */
  delete(key: string, revision?: number): Promise<boolean>;
  /**
   * Everything that stands in it, then `current`, then every change, until the signal aborts or the bus is closed. After the server was
   * away, what stands in it is told again, without `current`. Of several changes of a key in a row the last is told for certain.
   */
  watch(signal: AbortSignal): AsyncGenerator<Change<T>, void, void>;
  /**
   * Forgets that there were keys which are deleted: the server keeps a marker of each for ever. Those go that stood there at the call before this
   * one, so that whoever watches has heard of them. How many went.
   */
  forgetDeleted(): Promise<number>;
};

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** Whether what stands under a key is a value of the bucket, as far as its readers rely on it. */
export type Accepts = (value: unknown, key: string) => boolean;

/** Opens the bucket, made if it is not there. */
export async function openBucket<T>(bus: Bus, name: string, accepts: Accepts = () => true): Promise<Bucket<T>> {
  const options = { history: 1, storage: StorageType.File, replicas: bus.replicas };
  const kv: KV = await madeOnce(name, () => bus.jetstream.views.kv(name, options));
  /** Of the call before. */
  let markers: ReadonlyMap<string, number> = new Map();
  const refused = (error: unknown): undefined => {
    if (busErrorKind(error) === 'wrong-sequence') return undefined;
    throw error;
  };
  const changeOf = (entry: KvEntry): KeyChange<T> | undefined => {
    const change = readEntry<T>(entry, accepts);
    if (change === undefined) bus.protocolBroken(`what stands in bucket ${name} under ${entry.key} is no value of it`);
    return change;
  };
  const get = async (key: string): Promise<Entry<T> | undefined> => {
    const entry = await kv.get(key);
    const change = entry && changeOf(entry);
    return change?.kind === 'put' ? change : undefined;
  };
  /** Of what stands there, and of what is deleted, sorted. */
  const keys = async (): Promise<string[]> => {
    // The client's own listing waits for ever on a bucket that changes under it; the stream's subjects are whole at once.
    const subjects = bucketSubjectPrefix(name);
    const { state } = await bus.manager.streams.info(bucketStream(name), { subjects_filter: `${subjects}>` });
    return Object.keys(state.subjects ?? {})
      .map((subject) => subject.slice(subjects.length))
      .sort();
  };
  /** After a write was refused: writes in the place of what is no value. */
  const overGarbage = async (key: string, value: T, error: unknown): Promise<number | undefined> => {
    refused(error);
    const standing = await kv.get(key);
    if (!standing || readEntry<T>(standing, accepts) !== undefined) return undefined;
    return kv.update(key, encode(value), standing.revision).catch(refused);
  };
  return {
    get,
    async entries() {
      const entries = await Promise.all((await keys()).map(get));
      return entries.filter((entry) => entry !== undefined);
    },
    put: (key, value) => kv.put(key, encode(value)),
    create: (key, value) => kv.create(key, encode(value)).catch((error: unknown) => overGarbage(key, value, error)),
    update: (key, value, revision) =>
      kv.update(key, encode(value), revision).catch((error: unknown) => overGarbage(key, value, error)),
    delete: (key, revision) =>
      kv
        .delete(key, revision === undefined ? {} : { previousSeq: revision })
        .then(() => true)
        .catch((error: unknown) => refused(error) ?? false),
    watch: (signal) => watch<T>({ bus, kv, changeOf }, signal),
    async forgetDeleted() {
      const found = await deletedKeys(kv, await keys());
      const old = [...found].filter(([key, revision]) => markers.get(key) === revision);
      for (const [key, revision] of old) {
        // What was put there since has a higher sequence, and stays.
        const filter = `${bucketSubjectPrefix(name)}${key}`;
        await bus.manager.streams.purge(bucketStream(name), { filter, seq: revision + 1 });
        found.delete(key);
      }
      markers = found;
      return old.length;
    },
  };
}

/**
 * Revisions of the markers of what is deleted, by key. Asked for one by one: a watch would tell them all, but of each consumer that goes, nats-server 2.9
 * keeps a part for as long as the bucket stands, and asks it with each message.
 */
async function deletedKeys(kv: KV, keys: readonly string[]): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (let from = 0; from < keys.length; from += KEYS_AT_ONCE) {
    const entries = await Promise.all(keys.slice(from, from + KEYS_AT_ONCE).map((key) => kv.get(key)));
    for (const entry of entries) if (entry && entry.operation !== 'PUT') found.set(entry.key, entry.revision);
  }
  return found;
}

type KeyChange<T> = Extract<Change<T>, { key: string }>;

/** Undefined where it is no value. */
function readEntry<T>(entry: KvEntry, accepts: Accepts): KeyChange<T> | undefined {
  const { key, revision, operation } = entry;
  if (operation !== 'PUT') return { kind: 'deleted', key, revision };
  try {
    const value = entry.json<T>();
    return accepts(value, key) ? { kind: 'put', key, value, revision } : undefined;
  } catch {
    return undefined;
  }
}

type Watched<T> = {
  readonly bus: Bus;
  readonly kv: KV;
  changeOf(entry: KvEntry): KeyChange<T> | undefined;
};

const RETRY_MS = 200;
const KEYS_AT_ONCE = 50;

/** One watch after another: a server that was away has forgotten its watchers, and the client notices only after ten seconds (D12). */
async function* watch<T>(watched: Watched<T>, signal: AbortSignal): AsyncGenerator<Change<T>, void, void> {
  let isCurrent = false;
  const told = new Told();
  while (!signal.aborted && !watched.bus.connection.isClosed()) {
    told.again();
    try {
      for await (const change of watchOnce<T>(watched, signal)) {
        yield* told.missing(change);
        if (change.kind === 'current' && isCurrent) continue;
        isCurrent ||= change.kind === 'current';
        yield change;
      }
    } catch (error) {
      // A watch that never was is told of; one that was is opened anew.
      if (!isCurrent || !(error instanceof NatsError)) throw error;
    }
    await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** What a watcher was told of, so that it learns of what was deleted while it was away, and is forgotten. */
class Told {
  readonly #revisions = new Map<string, number>();
  #unconfirmed = new Set<string>();

  /** All that stands there is about to be told. */
  again(): void {
    this.#unconfirmed = new Set(this.#revisions.keys());
  }

  /** Notes a change; deletions that are to be told before it. */
  missing(change: Change<unknown>): Extract<Change<never>, { kind: 'deleted' }>[] {
    if (change.kind !== 'current') {
      this.#unconfirmed.delete(change.key);
      if (change.kind === 'put') this.#revisions.set(change.key, change.revision);
      else this.#revisions.delete(change.key);
      return [];
    }
    const gone = [...this.#unconfirmed].map((key) => {
      const revision = (this.#revisions.get(key) ?? 0) + 1;
      return { kind: 'deleted', key, revision } as const;
    });
    this.#unconfirmed.clear();
    for (const { key } of gone) this.#revisions.delete(key);
    return gone;
  }
}

/** Until the signal aborts, the server was away, or the watch breaks. */
async function* watchOnce<T>(
  { bus, kv, changeOf }: Watched<T>,
  signal: AbortSignal,
): AsyncGenerator<Change<T>, void, void> {
  const inbox = createInbox<Change<T>>();
  const initializedFn = (): void => inbox.put({ kind: 'current' });
  const iterator = await kv.watch({ initializedFn });
  const stop = (): void => {
    iterator.stop();
    inbox.close();
  };
  const unsubscribe = bus.onReconnect(stop);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const reading = (async () => {
    for await (const entry of iterator) {
      const change = changeOf(entry);
      if (change) inbox.put(change);
    }
  })()
    .catch(() => undefined)
    .finally(inbox.close);
  try {
    for (let change = await inbox.take(); change && !signal.aborted; change = await inbox.take()) yield change;
  } finally {
    unsubscribe();
    signal.removeEventListener('abort', stop);
    stop();
    await reading;
  }
}
