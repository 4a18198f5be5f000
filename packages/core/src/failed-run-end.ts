/** The end of a run that failed before anything of it was computed: what whoever waits for it is told. */

import type { FaultJson } from './fault.ts';
import { NO_TOTALS, type RunEnd } from './result-record.ts';
import type { Run } from './run.ts';

export const failedRunEnd = ({ stream, run, spec }: Run, fault: FaultJson, elapsedMs: number): RunEnd => ({
  stream,
  run,
  decoded: 0,
  played: 0,
  published: 0,
  lastPlayed: 0,
  algorithms: Object.fromEntries(spec.algorithms.map(({ name }) => [name, NO_TOTALS])),
  elapsedMs: Math.max(0, elapsedMs),
  fault,
});
