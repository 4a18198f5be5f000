/** The first failed invocation of each algorithm that had any: one example tells more than a count. */

import type { FaultCode } from '@stream-infer/core/fault';
import type { RunEnd } from '@stream-infer/core/result-record';
import type { CollectorClient } from './collector-client.ts';
import type { FirstError } from './run-result.ts';

/** By algorithm. Reads no further than the last of them. @param placeOf where an algorithm threw, as far as a runner has told. */
export async function firstErrors(
  collector: Pick<CollectorClient, 'records'>,
  end: RunEnd | undefined,
  placeOf: (algorithm: string, code: FaultCode) => string | undefined = () => undefined,
): Promise<ReadonlyMap<string, FirstError>> {
  const found = new Map<string, FirstError>();
  const failing = Object.entries(end?.algorithms ?? {}).filter(([, { failed }]) => failed > 0);
  if (!end || failing.length === 0) return found;
  for await (const { algorithm, key, error } of collector.records(end)) {
    if (error && !found.has(algorithm)) {
      const place = placeOf(algorithm, error.code);
      found.set(algorithm, { key, error, ...(place !== undefined && { place }) });
    }
    if (found.size === failing.length) break;
  }
  return found;
}
