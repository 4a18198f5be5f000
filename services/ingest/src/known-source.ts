/**
 * What a run knows of its live source from an epoch before, so that the next one, here or elsewhere, opens it at once instead of asking it
 * again. Pure. Anybody may write into the registry: facts that are not whole are none.
 */

import { parseRational } from '@stream-infer/core/rational';
import type { RunState, SourceFacts } from '@stream-infer/core/run';

/** Undefined where nothing is known, or the source is a file. */
export function knownSource(state: RunState): SourceFacts | undefined {
  const facts = toldBy(state);
  return facts?.live === true && isWhole(facts) ? facts : undefined;
}

function toldBy(state: RunState): SourceFacts | undefined {
  switch (state.kind) {
    case 'claimed':
    case 'playing':
      return state.source;
    case 'ended':
      return state.facts?.source;
    case 'failed':
      return undefined;
  }
}

const isWhole = ({ width, height, fps, timeBase, sampling, streamIndex = 0 }: SourceFacts): boolean =>
  [width, height, streamIndex].every((count) => Number.isSafeInteger(count) && count >= 0) &&
  width * height > 0 &&
  sampling === 'time' &&
  [fps, timeBase].every((text) => isPositive(text));

const isPositive = (text: unknown): boolean => {
  const value = typeof text === 'string' ? parseRational(text) : undefined;
  return value !== undefined && value.num > 0;
};
