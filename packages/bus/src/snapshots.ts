/**
 * The newest snapshot of each instance of an algorithm with memory: what a runner that takes its stream over begins from (EX-9). It is
 * stored behind the result of its window, so that it is never ahead of what is published.
 */

import type { ResultRecord } from '@stream-infer/core/result-record';
import type { Snapshot } from '@stream-infer/core/state-turns';
import { type Bucket, openBucket } from './bucket.ts';
import type { Bus } from './bus.ts';
import { isSnapshot } from './registry-values.ts';

/** `bytes` in base64, as an entry of a bucket is JSON. */
type StoredSnapshot = { readonly n: number; readonly bytes: string };

type Place = Pick<ResultRecord, 'stream' | 'run' | 'algorithm'>;

export type Snapshots = {
  get(place: Place): Promise<Snapshot | undefined>;
  put(place: Place, snapshot: Snapshot): Promise<void>;
  /** Does nothing where there is none. */
  delete(place: Place): Promise<void>;
  /** As a bucket's. */
  forgetDeleted(): Promise<number>;
};

/** The bucket is made if it is not there. All reject with the client's errors. */
export async function openSnapshots(bus: Bus): Promise<Snapshots> {
  const { buckets, snapshotKey } = bus.topology;
  const bucket: Bucket<StoredSnapshot> = await openBucket(bus, buckets.snapshots, isSnapshot);
  const keyOf = ({ stream, run, algorithm }: Place): string => snapshotKey(stream, run, algorithm);
  return {
    async get(place) {
      const entry = await bucket.get(keyOf(place));
      return entry && { n: entry.value.n, bytes: new Uint8Array(Buffer.from(entry.value.bytes, 'base64')) };
    },
    async put(place, { n, bytes }) {
      await bucket.put(keyOf(place), { n, bytes: Buffer.from(bytes).toString('base64') });
    },
    async delete(place) {
      if (await bucket.get(keyOf(place))) await bucket.delete(keyOf(place));
    },
    forgetDeleted: () => bucket.forgetDeleted(),
  };
}
