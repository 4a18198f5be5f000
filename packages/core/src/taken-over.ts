/**
 * Where a scheduler goes on with an algorithm of a realtime run that another left by dying: nothing is replayed (EX-8), so what that one had
 * begun and not settled is lost with it, and counted (EX-11).
 */

import { type AlgorithmTotals, NO_TOTALS } from './result-record.ts';
import type { Progress } from './schedule.ts';

/** What a scheduler told of an algorithm when it was last heard. */
export type LastHeard = {
  /** Of the newest frame that it had read. */
  readonly n: number;
  /** Invocations that were due. */
  readonly due: number;
  /** What of them was settled. */
  readonly totals: AlgorithmTotals;
};

/** @param published what its last result says, which may be younger or older. `lost`: how many are lost with it. */
export function takenOver(
  { answeredThrough, totals = NO_TOTALS }: Progress,
  heard: LastHeard,
): { readonly progress: Progress; readonly lost: number } {
  const settled = totals.triggered > heard.totals.triggered ? totals : heard.totals;
  const lost = Math.max(0, heard.due - settled.triggered);
  const before = settled.dropped['lost-with-process'] ?? 0;
  const dropped = lost > 0 ? { ...settled.dropped, 'lost-with-process': before + lost } : settled.dropped;
  return {
    progress: {
      answeredThrough: Math.max(answeredThrough, heard.n),
      totals: { ...settled, triggered: settled.triggered + lost, dropped },
    },
    lost,
  };
}
