/**
 * A KV bucket of JSON values, file-backed: it survives a restart of everything. Revisions are fencing tokens (D11): a write
 * that names a revision is refused once another has written.
 */

import type { KV } from 'nats';
import { StorageType } from 'nats';
import type { Bus } from './bus.ts';
import { busErrorKind } from './bus-error.ts';
import { createInbox } from './inbox.ts';
import { bucketStream, bucketSubjectPrefix } from './topology.ts';

export type Entry<T> = { readonly key: string; readonly value: T; readonly revision: number };

export type Change<T> =
  | { readonly kind: 'put'; readonly key: string; readonly value: T; readonly revision: number }
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
  delete(key: string): Promise<void>;
  /** Everything that stands in it, then `current`, then every change, until the signal aborts. */
  watch(signal: AbortSignal): AsyncGenerator<Change<T>, void, void>;
};

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** Opens the bucket, made if it is not there. */
export async function openBucket<T>(bus: Bus, name: string): Promise<Bucket<T>> {
  const kv: KV = await bus.jetstream.views.kv(name, { history: 1, storage: StorageType.File });
  const refused = (error: unknown): undefined => {
    if (busErrorKind(error) === 'wrong-sequence') return undefined;
    throw error;
  };
  const get = async (key: string): Promise<Entry<T> | undefined> => {
    const entry = await kv.get(key);
    return entry?.operation === 'PUT' ? { key, value: entry.json<T>(), revision: entry.revision } : undefined;
  };
  return {
    get,
    async entries() {
      // The client's own listing waits for ever on a bucket that changes under it; the stream's subjects are whole at once.
      const subjects = bucketSubjectPrefix(name);
      const { state } = await bus.manager.streams.info(bucketStream(name), { subjects_filter: `${subjects}>` });
      const keys = Object.keys(state.subjects ?? {}).map((subject) => subject.slice(subjects.length));
      const entries = await Promise.all(keys.sort().map(get));
      return entries.filter((entry) => entry !== undefined);
    },
    put: (key, value) => kv.put(key, encode(value)),
    create: (key, value) => kv.create(key, encode(value)).catch(refused),
    update: (key, value, revision) => kv.update(key, encode(value), revision).catch(refused),
    delete: (key) => kv.delete(key),
    watch: (signal) => watch<T>(kv, signal),
  };
}

async function* watch<T>(kv: KV, signal: AbortSignal): AsyncGenerator<Change<T>, void, void> {
  const inbox = createInbox<Change<T>>();
  const iterator = await kv.watch({ initializedFn: () => inbox.put({ kind: 'current' }) });
  const stop = (): void => {
    iterator.stop();
    inbox.close();
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const reading = (async () => {
    for await (const entry of iterator) {
      const { key, revision } = entry;
      if (entry.operation === 'PUT') inbox.put({ kind: 'put', key, value: entry.json<T>(), revision });
      else inbox.put({ kind: 'deleted', key, revision });
    }
    inbox.close();
  })();
  try {
    for (let change = await inbox.take(); change && !signal.aborted; change = await inbox.take()) yield change;
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
    await reading;
  }
}
