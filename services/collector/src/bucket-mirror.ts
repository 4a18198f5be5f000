/**
 * A bucket as this process knows it: what stands in it, followed by a watch, so that reading asks nobody and goes on while the bus is
 * away. What is written here is noted at once: who wrote through this API reads it there.
 */

import type { Bucket, Entry } from '@stream-infer/bus/bucket';

export type BucketMirror<T> = {
  get(key: string): Entry<T> | undefined;
  /** By key. */
  entries(): readonly Entry<T>[];
  /** This process has written it. */
  noted(entry: Entry<T>): void;
  /** This process has removed what stood there as `revision`. */
  removed(key: string, revision: number): void;
  /** Resolves when all that stood in the bucket is known, or nothing more is told. */
  readonly current: Promise<void>;
  /** Resolves when the signal aborts or the bus is closed; rejects where the bucket cannot be watched. */
  readonly done: Promise<void>;
};

export function mirrorBucket<T>(bucket: Bucket<T>, signal: AbortSignal): BucketMirror<T> {
  const entries = new Map<string, Entry<T>>();
  /** Removed here, until the watch tells so too: older news of them is late. */
  const gone = new Map<string, number>();
  const current = Promise.withResolvers<void>();
  const note = (entry: Entry<T>): void => {
    const known = Math.max(entries.get(entry.key)?.revision ?? 0, gone.get(entry.key) ?? 0);
    if (entry.revision <= known) return;
    gone.delete(entry.key);
    entries.set(entry.key, entry);
  };
  const follow = async (): Promise<void> => {
    for await (const change of bucket.watch(signal)) {
      if (change.kind === 'current') current.resolve();
      else if (change.kind === 'put') note(change);
      else if (change.revision > (entries.get(change.key)?.revision ?? 0)) {
        entries.delete(change.key);
        gone.delete(change.key);
      }
    }
  };
  return {
    get: (key) => entries.get(key),
    entries: () => [...entries.values()].sort((a, b) => (a.key < b.key ? -1 : 1)),
    noted: note,
    removed(key, revision) {
      if ((entries.get(key)?.revision ?? 0) > revision) return;
      entries.delete(key);
      gone.set(key, revision);
    },
    current: current.promise,
    done: follow().finally(current.resolve),
  };
}
