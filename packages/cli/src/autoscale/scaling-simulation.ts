/**
 * A trace played through the whole loop: scrape, query, KEDA, autoscaler, pods that start, results. A second is a step.
 */

import type { LoadTrace } from './load-trace.ts';
import { type FleetState, offeredLoad, RunnerFleet } from './runner-fleet.ts';
import { ScaledObject, type ScaledObjectOptions } from './scaled-object.ts';

/** What replicas are scaled on. */
export type Trigger =
  | { readonly kind: 'load'; readonly targetUtilization: number }
  /** As others do: windows that wait, so many to a replica. */
  | { readonly kind: 'lag'; readonly perReplica: number };

/** A time in which the query has no answer. */
export type Blindness = { readonly fromSecond: number; readonly toSecond: number };

export type SimulationOptions = Omit<ScaledObjectOptions, 'averageValue'> & {
  readonly trigger: Trigger;
  /** Instances in a runner. */
  readonly capacity: number;
  readonly startupSeconds: number;
  readonly scrapeSeconds: number;
  readonly blind: readonly Blindness[];
  readonly initialReplicas: number;
};

export type SimulatedSecond = FleetState & {
  readonly second: number;
  readonly load: number;
  /** The query has no answer. */
  readonly isBlind: boolean;
};

export function simulate(trace: LoadTrace, options: SimulationOptions): readonly SimulatedSecond[] {
  const { trigger, capacity, startupSeconds, scrapeSeconds, blind, initialReplicas } = options;
  const fleet = new RunnerFleet({ startupSeconds, capacity, replicas: initialReplicas });
  const scaled = new ScaledObject({ ...options, averageValue: averageValueOf(trigger) });
  const seconds: SimulatedSecond[] = [];
  let scraped = 0;
  for (let second = 0; second <= trace.seconds; second += 1) {
    const cameras = trace.camerasAt(second);
    const load = offeredLoad(cameras);
    const isBlind = blind.some(({ fromSecond, toSecond }) => second >= fromSecond && second < toSecond);
    if (second % scrapeSeconds === 0)
      scraped = trigger.kind === 'load' ? (100 * load) / capacity : (seconds.at(-1)?.lag ?? 0);
    fleet.scale(scaled.decide(fleet.replicas, isBlind ? undefined : scraped, second), second);
    seconds.push({ second, load, isBlind, ...fleet.play(cameras, second) });
  }
  return seconds;
}

/** In percent, as the query's threshold is. */
const averageValueOf = (trigger: Trigger): number =>
  trigger.kind === 'load' ? Math.round(100 * trigger.targetUtilization) : trigger.perReplica;

export type SimulationSummary = {
  readonly replicas: { readonly least: number; readonly most: number; readonly mean: number };
  /** Of the runners that take work, over all of the time in which there is anything to do. */
  readonly meanUtilization: number;
  readonly worstStalenessSeconds: number;
  /** Seconds in which runners were too few for what was due. */
  readonly shortSeconds: number;
  /** Times that the number of replicas changed. */
  readonly decisions: number;
  /** Times that it went up after it went down, or down after up, within ten minutes. */
  readonly flaps: number;
  /** Hours of replicas. */
  readonly replicaHours: number;
};

const FLAP_SECONDS = 600;

export function summaryOf(seconds: readonly SimulatedSecond[], capacity: number): SimulationSummary {
  const replicas = seconds.map((one) => one.replicas);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const changes = seconds.flatMap(({ second, replicas: count }, at) => {
    const by = count - (seconds[at - 1]?.replicas ?? count);
    return by === 0 ? [] : [{ second, direction: Math.sign(by) }];
  });
  const flaps = changes.filter(({ second, direction }, at) => {
    const before = changes[at - 1];
    return before && before.direction !== direction && second - before.second < FLAP_SECONDS;
  });
  const working = seconds.filter(({ load, ready }) => load > 0 && ready > 0);
  const instances = sum(working.map(({ ready }) => ready * capacity));
  return {
    replicas: { least: Math.min(...replicas), most: Math.max(...replicas), mean: sum(replicas) / replicas.length },
    meanUtilization:
      instances === 0 ? 0 : sum(working.map(({ utilization, ready }) => utilization * ready * capacity)) / instances,
    worstStalenessSeconds: Math.max(...seconds.map(({ stalenessSeconds }) => stalenessSeconds)),
    shortSeconds: seconds.filter(({ load, ready }) => load > ready * capacity).length,
    decisions: changes.length,
    flaps: flaps.length,
    replicaHours: sum(replicas) / 3_600,
  };
}
