/** A run whose source is probed and whose frames come, or came: what the scheduler follows. */

import type { Run, RunFacts } from '@stream-infer/core/run';

export type PlayingRun = Run & { readonly state: RunFacts };

/** The run as it is followed; undefined where it has no frames to follow. */
export function playingRun(run: Run): PlayingRun | undefined {
  const { state } = run;
  switch (state.kind) {
    case 'playing':
      return { ...run, state };
    case 'ended':
      return state.facts && { ...run, state: { kind: 'playing', ...state.facts } };
    case 'claimed':
    case 'failed':
      return undefined;
  }
}
