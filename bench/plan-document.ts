/** bench/PLAN.md: a plan beside what was measured, of a scenario that the curve was not fitted to. */

import { PLANNED_ROLES, type PlannedRole } from '../packages/cli/src/plan/cost-curve.ts';
import type { DeploymentPlan } from '../packages/cli/src/plan/deployment-plan.ts';
import type { PlanScenario } from './plan-scenarios.ts';
import type { PlanMeasurement } from './plan-world.ts';
import { sum } from './trend.ts';

/** Of what was measured. */
const MOST_OFF = 0.15;

export type Compared = {
  readonly what: string;
  readonly unit: string;
  readonly planned: number;
  readonly measured: number;
  readonly held: boolean;
};

export function compared(plan: DeploymentPlan, { cores, memoryMiB, bus }: PlanMeasurement): readonly Compared[] {
  const all = (of: Readonly<Record<PlannedRole, number>>): number => sum(PLANNED_ROLES.map((role) => of[role]));
  const planned = plan.bus.inMegabytesPerSecond + plan.bus.outMegabytesPerSecond;
  return [
    row('cores', '', plan.total.cores, all(cores)),
    row('bus, in and out', 'MB/s', planned, bus.inMegabytesPerSecond + bus.outMegabytesPerSecond),
    row('memory', 'MiB', plan.total.memoryMiB, all(memoryMiB)),
  ];
}

const row = (what: string, unit: string, planned: number, measured: number): Compared => ({
  what,
  unit,
  planned,
  measured,
  held: Math.abs(planned - measured) <= MOST_OFF * measured,
});

export type PlanFacts = {
  readonly machine: string;
  readonly scenario: PlanScenario;
  readonly rows: readonly Compared[];
  /** Of each measured scenario and the tried one, the part of what was due that was answered. */
  readonly answered: readonly { readonly name: string; readonly share: number }[];
  readonly plan: DeploymentPlan;
  readonly measured: PlanMeasurement;
};

export function planDocument({ machine, scenario, rows, answered, plan, measured }: PlanFacts): string {
  const { cameras, clip, played } = scenario;
  const off = ({ planned, measured: found }: Compared): string => `${(100 * (planned / found - 1)).toFixed(1)} %`;
  const services = plan.services.map(
    ({ name, cores, memoryMiB }) => `| ${name} | ${cores.toFixed(3)} | ${memoryMiB.toFixed(0)} |`,
  );
  const roles = PLANNED_ROLES.map(
    (role) => `| ${role} | ${measured.cores[role].toFixed(3)} | ${measured.memoryMiB[role].toFixed(0)} |`,
  );
  const short = answered.filter(({ share }) => share < 0.97);
  return `# How well it is planned

Written by \`make bench-plan\`, which measures the curve of costs that \`stream-infer plan\` reckons with, and then plays what the curve was not
fitted to: ${cameras} cameras of ${clip.width}×${clip.height} in ${clip.codec}, played at ${played.fps} frames a second and ${played.width}×${played.height}, with a detector at every fifth frame and
statistics at every second one. Processor time and memory are of nats-server, the services and ffmpeg; what a window of each algorithm costs
was read from the scheduler's metrics while one such camera played.

Machine: ${machine}

| what | planned | measured | off by | within ${100 * MOST_OFF} % |
|---|---|---|---|---|
${rows.map((one) => `| ${one.what} | ${one.planned.toFixed(2)} ${one.unit} | ${one.measured.toFixed(2)} ${one.unit} | ${off(one)} | ${one.held ? 'yes' : 'NO'} |`).join('\n')}

| planned | cores | MiB |
|---|---|---|
${services.join('\n')}

| measured | cores | MiB |
|---|---|---|
${roles.join('\n')}
${short.map(({ name, share }) => `\nNot all of it was played: of "${name}" ${(100 * share).toFixed(0)} % of what was due were answered.\n`).join('')}`;
}
