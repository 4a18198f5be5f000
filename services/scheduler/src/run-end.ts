/** How a run ended, put together from what the ingest told and what the ledgers say. */

import type { FaultJson } from '@stream-infer/core/fault';
import type { AlgorithmTotals, RunEnd } from '@stream-infer/core/result-record';
import type { Run, SourceEnd } from '@stream-infer/core/run';

export function runEnd(
  { stream, run, startedAtMs }: Pick<Run, 'stream' | 'run' | 'startedAtMs'>,
  { decoded, played, published, lastPlayed }: SourceEnd,
  totals: ReadonlyMap<string, AlgorithmTotals>,
  nowMs: number,
  fault: FaultJson | null,
): RunEnd {
  const algorithms = Object.fromEntries(totals);
  const elapsedMs = Math.max(0, Math.round(nowMs - startedAtMs));
  return { stream, run, decoded, played, published, lastPlayed, algorithms, elapsedMs, fault };
}
