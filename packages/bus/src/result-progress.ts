/**
 * How far the algorithms of a run have come, read once by whoever goes on with it: by the ingest, which has to begin with the frames
 * that are wanted, and by the scheduler, which has to run what follows. Both ask here, so that they agree (EX-4, EX-6, EX-9).
 */

import type { Snapshot } from '@stream-infer/core/state-turns';
import type { Mode } from '@stream-infer/core/stream-spec';
import type { Bus } from './bus.ts';
import { type LastResult, lastResult, type ResultPlace } from './result-stream.ts';
import type { Snapshots } from './snapshots.ts';

export type ResultProgress = {
  readonly last: LastResult;
  /** Of an algorithm with memory, the newest. */
  readonly snapshot: Snapshot | undefined;
  /**
   * Windows behind this n are run. Where an algorithm with memory is played offline, that is its snapshot's, or the beginning, though
   * it has answered further: it has to be brought to where it was.
   */
  readonly runsAfter: number;
};

/** Rejects with the client's errors. */
export async function resultProgress(
  bus: Bus,
  snapshots: Snapshots,
  place: ResultPlace,
  mode: Mode,
): Promise<ResultProgress> {
  const last = await lastResult(bus, place);
  const snapshot = last.remembers ? await snapshots.get(place) : undefined;
  const runsAgain = last.remembers === true && mode === 'offline';
  return { last, snapshot, runsAfter: runsAgain ? (snapshot?.n ?? 0) : last.n };
}
