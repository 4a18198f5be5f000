/**
 * Keeps the registry as small as what it holds: the server keeps a marker of each key that was deleted, for ever, and with streams, runners and
 * ingests that come and go these would outgrow everything else within weeks.
 */

import type { Bucket } from './bucket.ts';
import { busErrorKind } from './bus-error.ts';

export type RegistryUpkeepOptions = {
  readonly buckets: readonly Pick<Bucket<unknown>, 'forgetDeleted'>[];
  /** Whether it falls to this process: one of all does it. */
  isMine(): boolean;
  /** What the bus did not take: it is tried again. */
  onTrouble(error: unknown): void;
};

/** A marker stands for one to two of these. */
const FORGET_MS = 60_000;

/** Begins it. Returns what ends it; idempotent. */
export function keepRegistry({ buckets, isMine, onTrouble }: RegistryUpkeepOptions): () => void {
  const round = async (): Promise<void> => {
    for (const bucket of buckets) if (isMine()) await bucket.forgetDeleted();
  };
  const timer = setInterval(() => {
    void round().catch((error: unknown) => {
      if (busErrorKind(error) !== 'closed') onTrouble(error);
    });
  }, FORGET_MS);
  return () => clearInterval(timer);
}
