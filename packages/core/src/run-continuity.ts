/**
 * Whether a run goes on when its stream is changed (EX-10): what changes only which frames are needed, and what is made of them, is no reason
 * to begin anew. What changes the source, the rate, or how frames look is; so is offline any change at all, since there results are those of
 * one configuration. Pure.
 */

import { canonicalJson } from './canonical-json.ts';
import type { StreamSpec } from './stream-spec.ts';

/** False too where nothing is different: whoever puts a stream again wants it played anew. */
export const goesOnUnder = (before: StreamSpec, after: StreamSpec): boolean =>
  before.mode === 'realtime' &&
  canonicalJson(before) !== canonicalJson(after) &&
  canonicalJson(withoutAlgorithms(before)) === canonicalJson(withoutAlgorithms(after));

function withoutAlgorithms({ algorithms: _algorithms, buffer: _buffer, ...rest }: StreamSpec): object {
  return rest;
}
