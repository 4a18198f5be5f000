/**
 * How far the store has come in RESULTS, and the positions that it gives to what it takes. A position is the sequence in RESULTS, moved
 * up by `base` where RESULTS has been made anew since the store was: positions only ever ascend, so an event's id stays good
 * across that.
 */

import type { ResultStreamFacts } from '@stream-infer/bus/result-reader';
import { Fault } from '@stream-infer/core/fault';

export type StoreProgress = {
  /** Which RESULTS: when it was made. Empty before the first. */
  readonly created: string;
  readonly base: number;
  /** The last sequence that is committed. */
  readonly sequence: number;
};

export const positionOf = ({ base }: Pick<StoreProgress, 'base'>, sequence: number): number => base + sequence;

/** Progress once all up to `sequence` is committed. Throws STORE_FAILED where more is already: what lies between would come as new. */
export function committedProgress(progress: StoreProgress, sequence: number): StoreProgress {
  if (sequence >= progress.sequence) return { ...progress, sequence };
  throw new Fault(
    'STORE_FAILED',
    `results up to ${sequence} of RESULTS came behind ${progress.sequence}, which is committed: the collector starts again from there`,
  );
}

/** Progress to go on with in the RESULTS that there is: the same where it is the one known and has not lost its end. */
export function resumeProgress(progress: StoreProgress, stream: ResultStreamFacts): StoreProgress {
  if (progress.created === stream.created && progress.sequence <= stream.lastSequence) return progress;
  return { created: stream.created, base: positionOf(progress, progress.sequence), sequence: 0 };
}
