/** One short name for all of a stream's spec that decides which frames its windows hold: two with one hash play the same windows. */

import { createHash } from 'node:crypto';
import { canonicalJson } from '@stream-infer/core/canonical-json';
import type { StreamSpec } from '@stream-infer/core/stream-spec';

/** How long, how often and how many at once is left out: a limit that was too low may be what is mended. */
export function specHash(spec: StreamSpec): string {
  const algorithms = spec.algorithms.map((algorithm) => {
    const { timeoutMs: _, maxAttempts: __, maxInFlight: ___, ...window } = algorithm;
    return window;
  });
  return createHash('sha256')
    .update(canonicalJson({ ...spec, algorithms }))
    .digest('hex')
    .slice(0, 16);
}
