/**
 * What an algorithm that others come after said before this process took the run over, as far as these have not come: read back from
 * RESULTS, where it is kept for them.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '@stream-infer/bus/bus';
import { resultsFrom } from '@stream-infer/bus/result-history';
import type { UpstreamResult } from '@stream-infer/core/upstream';
import type { ResultHold } from './result-hold.ts';
import type { Resumed } from './result-publisher.ts';
import { upstreamResult } from './window-result.ts';

export type UpstreamResultsOptions = {
  readonly bus: Bus;
  readonly stream: string;
  readonly run: string;
  readonly algorithm: string;
  readonly resumed: Resumed;
  /** What comes after it has come so far. */
  readonly wantedAfter: number;
  /** Gives up waiting for the bus. */
  readonly signal: AbortSignal;
  /** Told of each that is found. */
  readonly hold: ResultHold;
};

const RETRY_MS = 250;

/** By n; undefined where the signal aborted first. */
export async function readUpstreamResults(
  options: UpstreamResultsOptions,
): Promise<ReadonlyMap<number, UpstreamResult> | undefined> {
  const { bus, resumed, wantedAfter, signal, hold } = options;
  const found = new Map<number, { readonly sequence: number; readonly result: UpstreamResult }>();
  while (wantedAfter < resumed.answeredThrough) {
    try {
      for await (const { sequence, record } of resultsFrom(bus, options, resumed.neededFrom))
        if (record.n > wantedAfter) found.set(record.n, { sequence, result: upstreamResult(record) });
      break;
    } catch {
      if (signal.aborted || bus.connection.isClosed()) return undefined;
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
  for (const [n, { sequence }] of found) hold.published(n, sequence);
  return new Map([...found].map(([n, { result }]) => [n, result]));
}
