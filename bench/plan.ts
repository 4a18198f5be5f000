/**
 * `make bench-plan`: measures the curve of costs on this machine, which is to be quiet, and tries it on what it was not fitted to. Writes the curve
 * to packages/cli/src/plan/measured-curve.json, or to the file that is named, and bench/PLAN.md. Exits 1 where the plan is off.
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseConfiguration } from '@stream-infer/core/configuration-fault';
import { rational } from '@stream-infer/core/rational';
import { resolveStreams } from '@stream-infer/core/resolve-streams';
import { planDeployment } from '../packages/cli/src/plan/deployment-plan.ts';
import { streamWork } from '../packages/cli/src/plan/stream-work.ts';
import { cameraClip } from './clip.ts';
import { compared, planDocument } from './plan-document.ts';
import { answeredShare, fitCurve, type Played } from './plan-fit.ts';
import { CLIP_RATE, MEASURED_SCENARIOS, type PlanScenario, TRIED_SCENARIO } from './plan-scenarios.ts';
import { configurationOf, measureScenario, type PlanMeasurement } from './plan-world.ts';
import { machineLine } from './table.ts';

const folder = process.env.STREAM_INFER_BENCH ?? join(tmpdir(), 'stream-infer-bench');
await mkdir(folder, { recursive: true });

function workOf(scenario: PlanScenario): Omit<Played, 'measured'> {
  const configuration = parseConfiguration(
    configurationOf(scenario, () => '/clip'),
    scenario.name,
  );
  const camera = { ...scenario.clip, framesPerSecond: rational(CLIP_RATE) };
  const specs = resolveStreams(configuration, (path) => path);
  return { streams: specs.map((spec) => streamWork(spec, camera)), definitions: configuration.algorithms };
}

async function play(scenario: PlanScenario): Promise<Played> {
  const clip = cameraClip(scenario.clip, CLIP_RATE, folder);
  const measured = await measureScenario(scenario, () => clip);
  const played = { ...workOf(scenario), measured };
  console.log(
    `${scenario.name}: ${cores(measured)} cores, ${(100 * answeredShare(played)).toFixed(0)} % of what was due answered`,
  );
  return played;
}

const cores = (measured: PlanMeasurement): string =>
  Object.values(measured.cores)
    .reduce((sum, one) => sum + one, 0)
    .toFixed(2);

const played: Played[] = [];
for (const scenario of MEASURED_SCENARIOS) played.push(await play(scenario));
const machine = machineLine().replace(/^Machine: /, '');
const curve = fitCurve(machine, played);
const file = resolve(process.argv[2] ?? join(import.meta.dirname, '..', 'packages/cli/src/plan/measured-curve.json'));
await writeFile(file, `${JSON.stringify(curve, null, 2)}\n`);

/** All that was measured, for whoever wants to see what the curve was fitted to. */
const raw = played.map(({ measured: one }, at) => ({
  name: MEASURED_SCENARIOS[at]?.name,
  ...one,
  answered: Object.fromEntries(one.answered),
  costMs: Object.fromEntries(one.costMs),
}));
await writeFile(join(folder, 'plan-measurements.json'), `${JSON.stringify(raw, null, 2)}\n`);

const { measured: priced } = await play({ ...TRIED_SCENARIO, name: 'what a window costs', cameras: 1 });
const tried = await play(TRIED_SCENARIO);
const definitions = tried.definitions.map((one) => ({
  ...one,
  expectedMs: priced.costMs.get(one.name) ?? one.expectedMs,
}));
const { streams, measured } = tried;
const plan = planDeployment({ curve, streams, definitions, targetUtilization: 0.7, streamsPerIngest: 40 });
const rows = compared(plan, measured);
const answered = [
  ...MEASURED_SCENARIOS.map(({ name }, at) => ({ name, played: played[at] })),
  { name: TRIED_SCENARIO.name, played: tried },
].flatMap(({ name, played: one }) => (one ? [{ name, share: answeredShare(one) }] : []));
const text = planDocument({ machine, scenario: TRIED_SCENARIO, rows, answered, plan, measured });
await writeFile(join(import.meta.dirname, 'PLAN.md'), text);
console.log(text);
process.exitCode = rows.every(({ held }) => held) ? 0 : 1;
