/**
 * Where a run that was interrupted goes on (EX-4, EX-6): what is answered is never computed again, and every window that is not finds its
 * frames.
 */

import type { SamplePlan } from './sample-plan.ts';
import { filledFrom, oldestWanted } from './window.ts';

/**
 * The first played frame that any window wants which is due and not answered.
 * @param answeredThrough by algorithm: n of the window answered last, 0 where none is.
 */
export function resumeFrom({ algorithms, firstN }: SamplePlan, answeredThrough: ReadonlyMap<string, number>): number {
  const wanted = algorithms.map((algorithm) => {
    const { name, intervalFrames } = algorithm;
    const after = Math.max(answeredThrough.get(name) ?? 0, filledFrom(algorithm, firstN) - 1);
    const due = (Math.floor(after / intervalFrames) + 1) * intervalFrames;
    return oldestWanted(algorithm, due, firstN);
  });
  return Math.min(...wanted);
}
