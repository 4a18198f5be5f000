/** What `stream-infer autoscale` takes. */

import { Fault } from '@stream-infer/core/fault';
import { HELP, JSON_OPTION } from '../common-options.ts';
import { type OptionTable, parseOptions, type Subcommand } from '../option-table.ts';
import { SYNTHETIC_TRACES } from './load-trace.ts';
import type { Blindness } from './scaling-simulation.ts';

const OPTIONS = {
  trace: {
    type: 'string',
    value: `${SYNTHETIC_TRACES.join('|')}|FILE`,
    description:
      "What is due over the time: made up, or a file with what Prometheus answers to query_range of an algorithm's offered load. Default: stampede.",
  },
  peak: {
    type: 'string',
    value: 'N',
    description: 'Instances that the most cameras of a made-up trace keep busy. Default: 20.',
  },
  target: { type: 'string', value: 'PART', description: 'Target utilisation. Default: 0.7.' },
  capacity: { type: 'string', value: 'N', description: 'Instances in a runner (concurrency). Default: 1.' },
  min: { type: 'string', value: 'N', description: 'Least runners. Default: 0.' },
  max: { type: 'string', value: 'N', description: 'Most runners. Default: 100.' },
  start: { type: 'string', value: 'N', description: 'Runners at the beginning. Default: what the first load needs.' },
  startup: { type: 'string', value: 'SECONDS', description: 'From a decision until a pod takes work. Default: 20.' },
  fallback: { type: 'string', value: 'N', description: 'Runners when blind, where there are fewer. Default: 2.' },
  blind: { type: 'string', value: 'FROM-TO', description: 'Seconds in which the query has no answer.' },
  lag: {
    type: 'string',
    value: 'N',
    description: 'Beside it: scaled on lag, so many waiting windows to a runner. Default: 10.',
  },
  svg: { type: 'string', value: 'FILE', description: 'Runners, utilisation and age of results over the time, drawn.' },
  ...JSON_OPTION,
  ...HELP,
} as const satisfies OptionTable;

export const AUTOSCALE = {
  usage: 'autoscale simulate [OPTIONS]',
  summary: 'try out how runners are scaled, before a cluster does',
  details: `Plays a load through the query, KEDA and the HorizontalPodAutoscaler of an algorithm's runners, with their defaults,
second by second: what is scaled on offered load, and beside it on lag.

  stream-infer autoscale simulate --trace stampede --svg stampede.svg
  stream-infer autoscale simulate --trace wave --peak 40 --target 0.8 --startup 90
  stream-infer autoscale simulate --trace idle --blind 1200-3600`,
  options: OPTIONS,
} as const satisfies Subcommand;

export type AutoscaleArguments = {
  readonly trace: string;
  readonly peak: number;
  readonly targetUtilization: number;
  readonly capacity: number;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly initialReplicas: number | undefined;
  readonly startupSeconds: number;
  readonly fallbackReplicas: number;
  readonly blind: readonly Blindness[];
  readonly lagPerReplica: number;
  readonly svg: string | undefined;
  readonly json: boolean;
};

/** Throws USAGE. */
export function parseAutoscaleArguments(args: readonly string[]): AutoscaleArguments {
  const { values, positionals } = parseOptions(args, OPTIONS);
  if (positionals.join(' ') !== 'simulate')
    throw new Fault('USAGE', `autoscale takes simulate: stream-infer ${AUTOSCALE.usage}`);
  const minReplicas = count('min', values.min, 0);
  const maxReplicas = count('max', values.max, 100);
  if (minReplicas > maxReplicas || maxReplicas < 1)
    throw new Fault('USAGE', `--min ${minReplicas} and --max ${maxReplicas} leave no number of runners`);
  const targetUtilization = amount('target', values.target, 0.7);
  if (targetUtilization > 1)
    throw new Fault('USAGE', `--target is ${targetUtilization}: give a part of 1, such as 0.7`);
  return {
    trace: values.trace ?? 'stampede',
    peak: amount('peak', values.peak, 20),
    targetUtilization,
    capacity: amount('capacity', values.capacity, 1),
    minReplicas,
    maxReplicas,
    initialReplicas: values.start === undefined ? undefined : count('start', values.start, 0),
    startupSeconds: count('startup', values.startup, 20),
    fallbackReplicas: count('fallback', values.fallback, 2),
    blind: values.blind === undefined ? [] : [blindness(values.blind)],
    lagPerReplica: amount('lag', values.lag, 10),
    svg: values.svg,
    json: values.json,
  };
}

function amount(option: string, given: string | undefined, otherwise: number): number {
  const value = given === undefined ? otherwise : Number(given);
  if (Number.isFinite(value) && value > 0) return value;
  throw new Fault('USAGE', `--${option} is ${given}: give a number above 0`);
}

function count(option: string, given: string | undefined, otherwise: number): number {
  const value = given === undefined ? otherwise : Number(given);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new Fault('USAGE', `--${option} is ${given}: give a whole number, 0 or above`);
}

function blindness(given: string): Blindness {
  const [, from, to] = /^(\d+)-(\d+)$/.exec(given) ?? [];
  if (from !== undefined && to !== undefined && Number(from) < Number(to))
    return { fromSecond: Number(from), toSecond: Number(to) };
  throw new Fault('USAGE', `--blind is ${given}: give seconds from and to, such as 600-1800`);
}
