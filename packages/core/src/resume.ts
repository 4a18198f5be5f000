/**
 * Where a run that was interrupted goes on (EX-4, EX-6): what is answered is never computed again, and every window that is not finds its
 * frames.
 */

import type { SamplePlan } from './sample-plan.ts';
import { chainsFilledFrom, oldestWanted, shapeOf } from './window.ts';

/**
 * The first played frame that any window wants which is due and not answered. What comes after others is due where they are, and wants
 * the frame that tells its place even where it is handed none.
 * @param runsAfter by algorithm: n behind which its windows are run, 0 where it begins.
 */
export function resumeFrom({ algorithms, firstN }: SamplePlan, runsAfter: ReadonlyMap<string, number>): number {
  const filled = chainsFilledFrom(algorithms, firstN);
  const wanted = algorithms.map((algorithm) => {
    const { name, intervalFrames } = algorithm;
    const after = Math.max(runsAfter.get(name) ?? 0, (filled.get(name) ?? firstN) - 1);
    const due = (Math.floor(after / intervalFrames) + 1) * intervalFrames;
    return oldestWanted(shapeOf(algorithm), due, firstN);
  });
  return Math.min(...wanted);
}
