/** What a user would wonder about in a run without faults: an interval that is another than asked for, frames and windows that never came. */

import { toNumber } from '@stream-infer/core/rational';
import type { SourceFacts } from '@stream-infer/core/run';
import { type SamplePlan, samplePlan } from '@stream-infer/core/sample-plan';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { timeKey } from '@stream-infer/core/time-key';
import { filledFrom } from '@stream-infer/core/window';
import { realInterval } from './real-interval.ts';
import type { StreamResult } from './run-result.ts';

/** Lines to tell once the source is probed. */
export function planNotes(spec: StreamSpec, source: SourceFacts): readonly string[] {
  const plan = samplePlan(spec, source);
  return spec.algorithms.flatMap(({ name, interval }, index) => {
    const real = realInterval(interval, plan.fps, plan.algorithms[index]?.intervalFrames);
    if (!real) return [];
    const frames = real.frames === 1 ? '1 frame' : `${real.frames} frames`;
    return `stream ${spec.id}, algorithm ${name}: interval ${interval} s at ${real.fps} fps is ${frames}: every ${real.seconds} s`;
  });
}

/** Lines to tell once the run has come to its end. */
export function endNotes({ spec, progress, end }: StreamResult): readonly string[] {
  if (!progress?.playing || !end || end.decoded === 0) return [];
  const { source } = progress.playing;
  const plan = samplePlan(spec, source);
  const never = plan.algorithms.flatMap((algorithm) => {
    if ((end.algorithms[algorithm.name]?.triggered ?? 0) > 0) return [];
    const filled = filledFrom(algorithm, plan.firstN);
    const first = Math.ceil(filled / algorithm.intervalFrames) * algorithm.intervalFrames;
    if (first <= end.lastPlayed) return [];
    return `stream ${spec.id}, algorithm ${algorithm.name}: never due: the source ends at played frame ${end.lastPlayed}, and the first window needs frame ${first} (${timeKey(first, plan.fps)} s)`;
  });
  return [...sharedSlots(spec.id, source, plan, end), ...never];
}

type Counts = { readonly decoded: number; readonly played: number };

/** Of a variable rate: frames nearer to each other than 1 / fps, of which the first alone is played. */
function sharedSlots(stream: string, source: SourceFacts, plan: SamplePlan, { decoded, played }: Counts): string[] {
  const isThinned = toNumber(plan.fps) < toNumber(plan.sourceFps);
  if (source.sampling !== 'time' || source.live || isThinned || plan.firstN > 1 || played >= decoded) return [];
  const fps = Number(toNumber(plan.fps).toFixed(3));
  return [
    `stream ${stream}: played ${played} of ${decoded} frames of variable rate: ${decoded - played} share a slot of 1/${fps} s with the frame before: give a higher fps to play them`,
  ];
}
