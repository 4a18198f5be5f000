/** The end of a run that failed before anything of it was computed: what whoever waits for it is told. */

import type { FaultJson } from './fault.ts';
import type { AlgorithmTotals, RunEnd } from './result-record.ts';
import type { Run } from './run.ts';

const NOTHING: AlgorithmTotals = { triggered: 0, completed: 0, failed: 0, dropped: {} };

export const failedRunEnd = ({ stream, run, spec }: Run, fault: FaultJson, elapsedMs: number): RunEnd => ({
  stream,
  run,
  decoded: 0,
  played: 0,
  published: 0,
  lastPlayed: 0,
  algorithms: Object.fromEntries(spec.algorithms.map(({ name }) => [name, NOTHING])),
  elapsedMs: Math.max(0, elapsedMs),
  fault,
});
