/** Where the frames of an epoch stand in time: as their source says, or, where the epoch goes on with a camera's run, behind what was played before. Pure. */

import { firstSlotOf } from './epoch-start.ts';
import { presentationSeconds, presentationTimeUs } from './presentation-time.ts';
import type { PreparedStream } from './stream-preparation.ts';

type Prepared = Pick<PreparedStream, 'plan' | 'start' | 'timeBase'>;
/** Times of an epoch's frames in ticks; undefined where there is none. */
type Ticks = number | undefined;

/**
 * Of a frame without a time: what its number in the source says. Of an epoch that goes on, ffmpeg counts from the slot that is known
 * (filter-chain.ts).
 */
export function framePresentationUs(
  { plan, start, timeBase }: Prepared,
  { ptsTicks, sourceIndex }: { readonly ptsTicks: Ticks; readonly sourceIndex: number },
): number {
  if (ptsTicks === undefined)
    return presentationTimeUs(sourceIndex, { num: plan.sourceFps.den, den: plan.sourceFps.num });
  if (start.kind === 'first' || start.kind === 'again') return presentationTimeUs(ptsTicks, timeBase);
  const before = presentationTimeUs(start.firstN - 1, { num: plan.fps.den, den: plan.fps.num });
  return before + presentationTimeUs(ptsTicks, timeBase);
}

/** Seconds of the run that are played. */
export function positionSeconds(
  { plan, start, timeBase }: Prepared,
  { firstPtsTicks = 0, lastPtsTicks = 0 }: { readonly firstPtsTicks: Ticks; readonly lastPtsTicks: Ticks },
): number {
  const before = ((firstSlotOf(start) - 1) * plan.fps.den) / plan.fps.num;
  return before + presentationSeconds(lastPtsTicks - (start.kind === 'onward' ? 0 : firstPtsTicks), timeBase);
}
