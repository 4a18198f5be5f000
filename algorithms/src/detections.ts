/**
 * From what a family reads out of its model to the one shape of detections. Boxes are rounded to 2 decimals and scores
 * to 4, so that a record is short and the same on every machine; they are sorted by descending score before that.
 * A box is not clipped to the picture: one that is cut off by the border says so by reaching over it.
 */
import type { Detections, Frame } from '@stream-infer/algorithm';
import { boxInSource, type Placement } from './preprocess/placement.ts';

export type Box = readonly [x1: number, y1: number, x2: number, y2: number];

/** One box as its family decodes it, in pixels of the model's input. */
export type Candidate = { readonly box: Box; readonly score: number; readonly classId: number };

/** The candidates in pixels of the source picture, best first. */
export function toDetections(
  candidates: readonly Candidate[],
  placement: Placement,
  frame: Pick<Frame, 'sourceWidth' | 'sourceHeight'>,
  labels: readonly string[],
): Detections {
  const source = { width: frame.sourceWidth, height: frame.sourceHeight };
  const sorted = candidates.toSorted((first, second) => second.score - first.score);
  return {
    boxes: sorted.map(({ box }) => {
      const [x1, y1, x2, y2] = boxInSource(box, placement, source);
      return [roundTo(x1, 2), roundTo(y1, 2), roundTo(x2, 2), roundTo(y2, 2)] as const;
    }),
    scores: sorted.map(({ score }) => roundTo(score, 4)),
    labels: sorted.map(({ classId }) => labels[classId] ?? `class_${classId}`),
    classIds: sorted.map(({ classId }) => classId),
  };
}

/** Rounded to so many decimals; never −0. */
export function roundTo(value: number, decimals: number): number {
  const factor = 10 ** decimals;
  return Math.round(value * factor) / factor + 0;
}
