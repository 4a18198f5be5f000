/** A run whose source is probed and whose frames come: what the scheduler follows. */

import type { Run, RunState } from '@stream-infer/core/run';

export type PlayingRun = Run & { readonly state: Extract<RunState, { kind: 'playing' }> };

export const isPlaying = (run: Run): run is PlayingRun => run.state.kind === 'playing';
