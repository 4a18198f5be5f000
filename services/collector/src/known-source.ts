/** What the registry tells of a live source that plays, so that a stream which could not be played from it is refused before it takes the place of one that is. */

import type { Run, SourceFacts } from '@stream-infer/core/run';
import { goesOnUnder } from '@stream-infer/core/run-continuity';
import { samplePlan } from '@stream-infer/core/sample-plan';
import type { StreamSpec } from '@stream-infer/core/stream-spec';

/**
 * Throws INTERVAL_TOO_SHORT, WINDOW_EXCEEDS_BUFFER or CONFIG_INVALID, as the ingest would once it came to play it.
 * @param run the newest of that stream; undefined where there is none.
 */
export function refuseUnplayable(stream: StreamSpec, run: Run | undefined): void {
  const facts = run && knownSource(stream, run);
  if (facts) samplePlan(stream, facts);
}

/** Undefined where the stream is another run's, whose source is asked anew, or nothing is known of it yet. */
function knownSource(stream: StreamSpec, { spec, state }: Run): SourceFacts | undefined {
  if (state.kind !== 'playing' && state.kind !== 'claimed') return undefined;
  return state.source?.live && goesOnUnder(spec, stream) ? state.source : undefined;
}
