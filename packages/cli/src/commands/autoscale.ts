/** `stream-infer autoscale simulate`: what an autoscaler makes of a load, before a cluster does. */

import { readFile, writeFile } from 'node:fs/promises';
import { Fault, toFault } from '@stream-infer/core/fault';
import type { AutoscaleArguments } from '../autoscale/autoscale-arguments.ts';
import { DEFAULT_RULES } from '../autoscale/horizontal-scaler.ts';
import { type LoadTrace, recordedTrace, SYNTHETIC_TRACES, syntheticTrace } from '../autoscale/load-trace.ts';
import { offeredLoad } from '../autoscale/runner-fleet.ts';
import {
  type SimulationOptions,
  type SimulationSummary,
  simulate,
  summaryOf,
  type Trigger,
} from '../autoscale/scaling-simulation.ts';
import { simulationChart } from '../autoscale/simulation-chart.ts';
import { unwritable } from '../run/output-target.ts';
import { formatTable } from '../terminal/table.ts';

/** As the chart configures KEDA. */
const KEDA = { pollingSeconds: 15, cooldownSeconds: 300, scrapeSeconds: 15, failureThreshold: 3 } as const;

export async function autoscaleCommand(given: AutoscaleArguments): Promise<number> {
  const { capacity, targetUtilization, lagPerReplica, svg, json } = given;
  const trace = await traceOf(given);
  const triggers = [
    {
      title: `scaled on offered load, target ${Math.round(100 * targetUtilization)} %`,
      kind: 'load',
      targetUtilization,
    },
    { title: `scaled on lag, ${lagPerReplica} waiting windows to a runner`, kind: 'lag', perReplica: lagPerReplica },
  ] as const satisfies readonly (Trigger & { title: string })[];
  const simulations = triggers.map((trigger) => ({
    title: trigger.title,
    trigger: trigger.kind,
    seconds: simulate(trace, optionsOf(given, trace, trigger)),
  }));
  if (svg !== undefined) {
    const subtitle = `${capacity} ${capacity === 1 ? 'instance' : 'instances'} in a runner, ${given.startupSeconds} s to start one, ${given.minReplicas} to ${given.maxReplicas} runners`;
    const title = `Autoscaling simulated: ${trace.name}`;
    const chart = simulationChart({ title, subtitle, targetUtilization, capacity, simulations });
    await writeFile(svg, chart).catch((error: unknown) => {
      throw unwritable(svg, error);
    });
  }
  const summaries = simulations.map(({ title, trigger, seconds }) => ({
    title,
    trigger,
    ...summaryOf(seconds, capacity),
  }));
  const report = { trace: trace.name, seconds: trace.seconds, simulations: summaries };
  process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : textOf(summaries, svg));
  return 0;
}

function optionsOf(given: AutoscaleArguments, trace: LoadTrace, trigger: Trigger): SimulationOptions {
  const { capacity, minReplicas, maxReplicas, startupSeconds, blind, fallbackReplicas: replicas } = given;
  const first = Math.ceil(offeredLoad(trace.camerasAt(0)) / capacity / given.targetUtilization);
  const { failureThreshold, ...timing } = KEDA;
  return {
    ...DEFAULT_RULES,
    ...timing,
    trigger,
    minReplicas,
    maxReplicas,
    fallback: replicas > 0 ? { failureThreshold, replicas } : undefined,
    capacity,
    startupSeconds,
    blind,
    initialReplicas: Math.min(maxReplicas, Math.max(minReplicas, given.initialReplicas ?? first)),
  };
}

async function traceOf({ trace, peak }: AutoscaleArguments): Promise<LoadTrace> {
  const synthetic = SYNTHETIC_TRACES.find((name) => name === trace);
  if (synthetic) return syntheticTrace(synthetic, peak);
  const text = await readFile(trace, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw toFault(error);
    throw new Fault('USAGE', `there is no trace ${trace}: give a file, or one of ${SYNTHETIC_TRACES.join(', ')}`);
  });
  return recordedTrace(trace, text);
}

function textOf(
  summaries: readonly (SimulationSummary & { readonly title: string })[],
  svg: string | undefined,
): string {
  const rows = summaries.map((one) => [
    one.title,
    `${one.replicas.least}–${one.replicas.most}`,
    one.replicaHours.toFixed(1),
    `${(100 * one.meanUtilization).toFixed(0)} %`,
    `${one.worstStalenessSeconds.toFixed(1)} s`,
    `${one.shortSeconds} s`,
    String(one.decisions),
    String(one.flaps),
  ]);
  const head = ['', 'runners', 'runner hours', 'utilisation', 'oldest result', 'too few for', 'decisions', 'flaps'];
  return `${formatTable(head, rows)}\n${svg === undefined ? '' : `drawn: ${svg}\n`}`;
}
