/**
 * Which frames an algorithm's window holds when it is due at n: every frameStep-th of the last frameCount × frameStep slots, counted
 * back from n; with frameStep 0 the last frameCount, as many as there are.
 */

import type { FrameHistory, PublishedFrame } from './frame-history.ts';
import type { PlannedAlgorithm } from './sample-plan.ts';
import { upstreamFirst } from './upstream.ts';

type Shape = Pick<PlannedAlgorithm, 'frameCount' | 'frameStep'>;

/**
 * What becomes of the window due at n: its frames, oldest first; `unfilled` where not enough has been played since the start,
 * so that it is not due; `lost` where a frame it wants never came.
 */
export type Window<F> =
  | { readonly kind: 'filled'; readonly frames: readonly F[] }
  | { readonly kind: 'unfilled' | 'lost' };

/** What a window looks for: without frames of its own still its newest, which tells its place in time. */
export const shapeOf = ({ frameCount, frameStep }: Shape): Shape =>
  frameCount === 0 ? { frameCount: 1, frameStep: 0 } : { frameCount, frameStep };

/** The first n from `start` on at which the window is filled, whatever is due then. */
export const filledFrom = ({ frameCount, frameStep }: Shape, start: number): number =>
  start + Math.max(frameCount * frameStep, 1) - 1;

type Chained = Shape & Pick<PlannedAlgorithm, 'name' | 'after'>;

/** By algorithm: the first n from `start` on at which its window, and those of all that it comes after, are filled. */
export function chainsFilledFrom(algorithms: readonly Chained[], start: number): ReadonlyMap<string, number> {
  const filled = new Map<string, number>();
  for (const algorithm of upstreamFirst(algorithms, 'plan')) {
    const upstream = (algorithm.after ?? []).map((name) => filled.get(name) ?? start);
    filled.set(algorithm.name, Math.max(filledFrom(shapeOf(algorithm), start), ...upstream));
  }
  return filled;
}

/** The oldest slot that the window due at n wants. */
export const oldestWanted = ({ frameCount, frameStep }: Shape, n: number, start: number): number =>
  Math.max(start, n - (frameCount - 1) * Math.max(frameStep, 1));

/** @param start n of the first slot played. */
export function windowAt<F extends PublishedFrame>(
  shape: Shape,
  n: number,
  start: number,
  history: FrameHistory<F>,
): Window<F> {
  if (n < filledFrom(shape, start)) return { kind: 'unfilled' };
  const frames: F[] = [];
  const step = Math.max(shape.frameStep, 1);
  for (let slot = oldestWanted(shape, n, start); slot <= n; slot += step) {
    const found = history.find(slot);
    switch (found.kind) {
      case 'frame':
        frames.push(found.frame);
        break;
      case 'lost':
        return { kind: 'lost' };
      case 'none':
        // Before the first frame there is: a window of consecutive frames does without, one with steps is not filled.
        if (shape.frameStep > 0) return { kind: 'unfilled' };
    }
  }
  return { kind: 'filled', frames };
}
