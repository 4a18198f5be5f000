/** `stream-infer plan`: what so many cameras need, from a measured curve. */

import { readFile } from 'node:fs/promises';
import { Fault } from '@stream-infer/core/fault';
import { type CostCurve, parseCurve } from '../plan/cost-curve.ts';
import { planDeployment } from '../plan/deployment-plan.ts';
import measuredCurve from '../plan/measured-curve.json' with { type: 'json' };
import type { PlanArguments } from '../plan/plan-arguments.ts';
import { planText } from '../plan/plan-text.ts';
import { plannedStreams } from '../plan/planned-streams.ts';

/** Exit status. Throws a fault of the command line, the configuration or the curve. */
export async function planCommand(given: PlanArguments): Promise<number> {
  const { flags, targetUtilization, streamsPerIngest } = given;
  const curve = flags.curve === undefined ? measuredCurve : await readCurve(flags.curve);
  const { definitions, streams, notes } = await plannedStreams(given, process.cwd());
  const plan = planDeployment({ curve, streams, definitions, targetUtilization, streamsPerIngest });
  const told = { ...plan, notes: [...notes, ...plan.notes, `measured on: ${curve.machine}`] };
  process.stdout.write(
    flags.json ? `${JSON.stringify({ targetUtilization, ...told }, null, 2)}\n` : planText(told, targetUtilization),
  );
  return 0;
}

async function readCurve(file: string): Promise<CostCurve> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new Fault('USAGE', `the curve ${file} cannot be read: give a file that make bench-plan wrote`, {
      cause: error,
    });
  });
  return parseCurve(file, text);
}
