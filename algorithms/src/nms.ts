/**
 * Non-maximum suppression: of boxes that overlap by more than a limit, the one with the highest score stays. Greedy, in
 * the order of descending score; equal scores keep the order in which they came, so that the result is the same always.
 */
import type { Box, Candidate } from './detections.ts';

export type NmsOptions = {
  /** Two boxes whose intersection over union is above this are taken for one object. 0 to 1; 1 suppresses nothing. */
  readonly iou: number;
  /** Whether boxes of different classes suppress each other. */
  readonly classAgnostic: boolean;
};

/** The candidates that stay, best first. */
export function suppressOverlaps(candidates: readonly Candidate[], options: NmsOptions): Candidate[] {
  const kept: Candidate[] = [];
  for (const candidate of candidates.toSorted((first, second) => second.score - first.score)) {
    const suppressed = kept.some(
      (better) =>
        (options.classAgnostic || better.classId === candidate.classId) &&
        intersectionOverUnion(better.box, candidate.box) > options.iou,
    );
    if (!suppressed) kept.push(candidate);
  }
  return kept;
}

/** Shared area over joint area, 0 to 1; boxes without area share nothing. */
export function intersectionOverUnion(first: Box, second: Box): number {
  const width = Math.min(first[2], second[2]) - Math.max(first[0], second[0]);
  const height = Math.min(first[3], second[3]) - Math.max(first[1], second[1]);
  if (width <= 0 || height <= 0) return 0;
  const intersection = width * height;
  return intersection / (area(first) + area(second) - intersection);
}

const area = (box: Box): number => (box[2] - box[0]) * (box[3] - box[1]);
