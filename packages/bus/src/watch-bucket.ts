/** Follows a bucket for as long as the service runs: a watch that ends is opened anew, and tells all that stands in it again. */

import { setTimeout } from 'node:timers/promises';
import { type Fault, toFault } from '@stream-infer/core/fault';
import type { Bucket, Change } from './bucket.ts';

export type Watch = {
  /** Whether all that stood in the bucket has been told. */
  readonly isCurrent: boolean;
  close(): Promise<void>;
};

const RETRY_MS = 200;

export function watchBucket<T>(
  bucket: Bucket<T>,
  listener: (change: Change<T>) => void,
  report: (fault: Fault) => void,
): Watch {
  const stopped = new AbortController();
  let isCurrent = false;
  const following = (async () => {
    while (!stopped.signal.aborted) {
      try {
        for await (const change of bucket.watch(stopped.signal)) {
          if (change.kind === 'current') isCurrent = true;
          listener(change);
        }
      } catch (error) {
        report(toFault(error, 'BUS_FAILED', 'a watch of the registry broke and is opened anew'));
      }
      await setTimeout(RETRY_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  })();
  return {
    get isCurrent() {
      return isCurrent;
    },
    async close() {
      stopped.abort();
      await following;
    },
  };
}
