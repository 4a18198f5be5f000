/** Precision and recall of detections against the truth, over many frames. */
import { type Detection, overlap } from './detection.ts';
import { LEAST_VISIBLE, type Truth } from './sample.ts';
import { CLASSES } from './shape.ts';

const MATCH_IOU = 0.5;

/** What precision and recall have to reach. */
export const LEAST_SCORE = 0.95;

export interface Tally {
  /** Detections that are right: of the object's class, and matched to no other. */
  hits: number;
  /** Detections that match no object. */
  extras: number;
  /** Objects that nothing matches. */
  misses: number;
}

export function emptyTallies(): Tally[] {
  return CLASSES.map(() => ({ hits: 0, extras: 0, misses: 0 }));
}

/**
 * Counts one frame, a tally per class. Detections choose in order of score; an object of which less than half can be
 * seen need not be found, and is no mistake when it is.
 */
export function tallyFrame(
  tallies: readonly Tally[],
  truths: readonly Truth[],
  detections: readonly Detection[],
): void {
  const open = new Set(truths);
  for (const detection of [...detections].sort((a, b) => b.score - a.score)) {
    let best: Truth | undefined;
    let bestOverlap = MATCH_IOU;
    for (const truth of open) {
      const shared = truth.classId === detection.classId ? overlap(truth, detection) : 0;
      if (shared >= bestOverlap) {
        best = truth;
        bestOverlap = shared;
      }
    }
    const tally = tallies[detection.classId] as Tally;
    if (best === undefined) tally.extras++;
    else open.delete(best);
    if (best !== undefined && best.visible >= LEAST_VISIBLE) tally.hits++;
  }
  for (const truth of open) if (truth.visible >= LEAST_VISIBLE) (tallies[truth.classId] as Tally).misses++;
}

export interface Score {
  readonly precision: number;
  readonly recall: number;
  readonly objects: number;
}

/** Over all the tallies given: micro-averaged. */
export function scoreOf(...tallies: readonly Tally[]): Score {
  const sum = (of: (tally: Tally) => number): number => tallies.reduce((total, tally) => total + of(tally), 0);
  const hits = sum((tally) => tally.hits);
  const extras = sum((tally) => tally.extras);
  const misses = sum((tally) => tally.misses);
  return {
    precision: hits + extras === 0 ? 0 : hits / (hits + extras),
    recall: hits + misses === 0 ? 0 : hits / (hits + misses),
    objects: hits + misses,
  };
}
