/** How a run ended, put together from what the ingest told and what the ledgers say. */

import type { FaultJson } from '@stream-infer/core/fault';
import type { Ledger } from '@stream-infer/core/ledger';
import type { RunEnd } from '@stream-infer/core/result-record';
import type { SourceEnd } from '@stream-infer/core/run';

export function runEnd(
  { stream, run }: { readonly stream: string; readonly run: string },
  { decoded, played, published, lastPlayed }: SourceEnd,
  ledgers: ReadonlyMap<string, Ledger>,
  elapsedMs: number,
  fault: FaultJson | null,
): RunEnd {
  const algorithms = Object.fromEntries([...ledgers].map(([name, ledger]) => [name, ledger.totals]));
  return { stream, run, decoded, played, published, lastPlayed, algorithms, elapsedMs: Math.round(elapsedMs), fault };
}
