/** From measured scenarios to a curve of costs, and a plan beside what was measured. Pure. */

import type { AlgorithmDefinition } from '@stream-infer/core/algorithm-definition';
import { type CostCurve, PLANNED_ROLES, type PlannedRole } from '../packages/cli/src/plan/cost-curve.ts';
import {
  busDrivers,
  collectorDrivers,
  fetchedBy,
  ffmpegDrivers,
  ingestDrivers,
  type RoleDrivers,
  runnerDrivers,
  runnersOf,
  type StreamWork,
  schedulerDrivers,
} from '../packages/cli/src/plan/stream-work.ts';
import { nonNegativeLeastSquares } from './least-squares.ts';
import type { PlanMeasurement } from './plan-world.ts';
import { sum } from './trend.ts';

export type Played = {
  readonly streams: readonly StreamWork[];
  readonly definitions: readonly AlgorithmDefinition[];
  readonly measured: PlanMeasurement;
};

/** What is less counts as this: the tick of a processor's clock, and the page of a library, are no news. */
const LEAST_CORES = 0.02;
const LEAST_MIB = 20;
/** Of a price. */
const NOTHING = 1e-9;

export function fitCurve(machine: string, played: readonly Played[]): CostCurve {
  const observed = played.map((one) => ({ drivers: driversOf({ ...one, streams: asPlayed(one) }), ...one }));
  const prices = (of: 'cores' | 'memory', role: PlannedRole): Readonly<Record<string, number>> => {
    const names = [...new Set(observed.flatMap(({ drivers }) => Object.keys(drivers[role][of])))];
    const rows = observed.map(({ drivers, ...one }) => ({
      values: names.map((name) => drivers[role][of][name] ?? 0),
      result: of === 'cores' ? ownCores(one, role) : one.measured.memoryMiB[role],
    }));
    const least = of === 'cores' ? LEAST_CORES : LEAST_MIB;
    const found = nonNegativeLeastSquares(rows, ({ result }) => 1 / Math.max(result, least));
    return Object.fromEntries(names.map((name, at) => [name, rounded(found[at] ?? 0)]));
  };
  const all = (of: 'cores' | 'memory'): CostCurve['cores'] =>
    Object.fromEntries(PLANNED_ROLES.map((role) => [role, prices(of, role)])) as CostCurve['cores'];
  return {
    machine,
    cores: all('cores'),
    memory: all('memory'),
    measuredUpTo: {
      streams: Math.max(...played.map(({ streams }) => streams.length)),
      busMegabytesPerSecond: Math.max(
        ...played.map(({ measured: { bus } }) => Math.round(bus.inMegabytesPerSecond + bus.outMegabytesPerSecond)),
      ),
    },
  };
}

const rounded = (price: number): number => (price < NOTHING ? 0 : Number(price.toPrecision(4)));

/** With the rates that were reached: a machine that is too busy plays less than is due. */
function asPlayed({ streams, measured }: Played): readonly StreamWork[] {
  const share = (reached: number, of: (stream: StreamWork) => number): number => reached / (sum(streams.map(of)) || 1);
  const decoded = share(measured.decoded, ({ decodedFrames }) => decodedFrames);
  const published = share(measured.published, ({ publishedFrames }) => publishedFrames);
  return streams.map((stream) => ({
    ...stream,
    decodedFrames: decoded * stream.decodedFrames,
    publishedFrames: published * stream.publishedFrames,
    lanes: stream.lanes.map((lane) => {
      const due = sum(
        streams
          .flatMap(({ lanes }) => lanes.filter(({ definition }) => definition === lane.definition))
          .map(({ invocations }) => invocations),
      );
      const answered = (measured.answered.get(lane.definition) ?? 0) / due;
      const { apart, together } = lane.fetchedFrames;
      return {
        ...lane,
        invocations: answered * lane.invocations,
        fetchedFrames: { apart: answered * apart, together: answered * together },
      };
    }),
  }));
}

/** Of a role, without what algorithms cost by themselves. */
function ownCores({ measured: { cores, costMs, answered } }: Played, role: PlannedRole): number {
  if (role !== 'algo-runner') return cores[role];
  const algorithms = sum([...answered].map(([name, perSecond]) => (perSecond * (costMs.get(name) ?? 0)) / 1_000));
  return Math.max(0, cores[role] - algorithms);
}

/** One process of each role, and a runner for each algorithm. */
function driversOf({ streams, definitions }: Omit<Played, 'measured'>): Readonly<Record<PlannedRole, RoleDrivers>> {
  const each = definitions.map(({ name }) => fetchedBy(streams, name, true));
  const runners = definitions.map((definition) => runnersOf(definition, 1));
  const fetched = {
    invocations: sum(each.map(({ invocations }) => invocations)),
    frames: sum(each.map(({ frames }) => frames)),
    megabytes: sum(each.map(({ megabytes }) => megabytes)),
  };
  return {
    ingest: ingestDrivers(streams, 1),
    ffmpeg: ffmpegDrivers(streams, 1),
    'nats-server': busDrivers(streams, fetched),
    scheduler: schedulerDrivers(streams, 1),
    'algo-runner': runnerDrivers(fetched, {
      processes: sum(runners.map(({ processes }) => processes)),
      instances: sum(runners.map(({ instances }) => instances)),
      models: sum(runners.map(({ models }) => models)),
    }),
    collector: collectorDrivers(streams, 1),
  };
}

/** Of what is due, the part that was answered: a machine that is too busy plays less than is planned. */
export function answeredShare({ streams, measured }: Played): number {
  const due = sum(streams.flatMap(({ lanes }) => lanes.map(({ invocations }) => invocations)));
  return due === 0 ? 1 : sum([...measured.answered.values()]) / due;
}
