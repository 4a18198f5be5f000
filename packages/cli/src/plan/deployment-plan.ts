/** How many pods, cores, bytes a second and bytes of memory so many cameras need. Pure. */

import type { AlgorithmDefinition } from '@stream-infer/core/algorithm-definition';
import { Fault } from '@stream-infer/core/fault';
import { OfferedLoad } from '@stream-infer/core/offered-load';
import { type CostCurve, codecsOf, cost, type PlannedRole } from './cost-curve.ts';
import {
  busDrivers,
  collectorDrivers,
  type Fetched,
  fetchedBy,
  ffmpegDrivers,
  ingestDrivers,
  type RoleDrivers,
  type Runners,
  runnerDrivers,
  runnersOf,
  type StreamWork,
  schedulerDrivers,
} from './stream-work.ts';

export type PlanRequest = {
  readonly curve: CostCurve;
  /** At least one. */
  readonly streams: readonly StreamWork[];
  readonly definitions: readonly AlgorithmDefinition[];
  /** How busy runners' instances, and the one thread of Node.js in each other pod, are to be; from above 0 to 1. */
  readonly targetUtilization: number;
  readonly streamsPerIngest: number;
};

/** All of one kind. */
export type PlannedPods = {
  readonly name: string;
  readonly pods: number;
  /** That are busy, in all pods. */
  readonly cores: number;
  /** In all pods. */
  readonly memoryMiB: number;
  readonly gpus: number;
};

export type DeploymentPlan = {
  readonly streams: number;
  readonly services: readonly PlannedPods[];
  readonly total: Omit<PlannedPods, 'name'>;
  readonly bus: {
    /** Frames from ingests, a second. */
    readonly inMegabytesPerSecond: number;
    /** Frames to runners, a second. */
    readonly outMegabytesPerSecond: number;
    /** What frame buffers reserve: nats-server's max_memory_store has to hold it. */
    readonly bufferMegabytes: number;
  };
  /** What is to be known beside the figures. */
  readonly notes: readonly string[];
};

const NONE: Runners = { processes: 0, instances: 0, models: 0 };

/** Throws CONFIG_INVALID where the curve does not know a camera's codec. */
export function planDeployment({
  curve,
  streams,
  definitions,
  targetUtilization,
  streamsPerIngest,
}: PlanRequest): DeploymentPlan {
  refuseUnknownCodecs(curve, streams);
  const coresOf = (role: PlannedRole, drivers: RoleDrivers): number => cost(drivers.cores, curve.cores[role]);
  const memoryOf = (role: PlannedRole, drivers: RoleDrivers): number => cost(drivers.memory, curve.memory[role]);
  /** As many as keep the one thread of each at the target; what a process costs by itself does not count towards it. */
  const threads = (role: PlannedRole, drivers: RoleDrivers): number =>
    Math.max(1, Math.ceil(coresOf(role, drivers) / targetUtilization));
  const pods = (name: string, count: number, role: PlannedRole, drivers: RoleDrivers): PlannedPods => ({
    name,
    pods: count,
    cores: coresOf(role, drivers),
    memoryMiB: memoryOf(role, drivers),
    gpus: 0,
  });

  const runners = definitions
    .filter(({ name }) => streams.some(({ lanes }) => lanes.some(({ definition }) => definition === name)))
    .map((definition) => {
      const load = offeredLoad(definition, streams);
      const forLoad = Math.max(1, Math.ceil(load / (targetUtilization * definition.concurrency)));
      const apart = forLoad > 1;
      const fetched = fetchedBy(streams, definition.name, !apart);
      const count = Math.max(forLoad, threads('algo-runner', runnerDrivers(fetched, NONE)));
      const own = pods(
        `runner ${definition.name}`,
        count,
        'algo-runner',
        runnerDrivers(fetched, runnersOf(definition, count)),
      );
      const cores = own.cores + load * threadsOf(definition);
      return { fetched, pods: { ...own, cores, gpus: isOnGpu(definition) ? count : 0 } };
    });
  const fetched: Fetched = {
    invocations: runners.reduce((sum, one) => sum + one.fetched.invocations, 0),
    frames: runners.reduce((sum, one) => sum + one.fetched.frames, 0),
    megabytes: runners.reduce((sum, one) => sum + one.fetched.megabytes, 0),
  };
  const ingests = Math.max(Math.ceil(streams.length / streamsPerIngest), threads('ingest', ingestDrivers(streams, 0)));
  const schedulers = threads('scheduler', schedulerDrivers(streams, 0));
  const collectors = threads('collector', collectorDrivers(streams, 0));
  const ingest = pods('ingest', ingests, 'ingest', ingestDrivers(streams, ingests));
  const decoding = pods('ffmpeg', ingests, 'ffmpeg', ffmpegDrivers(streams, ingests));
  const services = [
    { ...ingest, cores: ingest.cores + decoding.cores, memoryMiB: ingest.memoryMiB + decoding.memoryMiB },
    pods('nats-server', 1, 'nats-server', busDrivers(streams, fetched)),
    pods('scheduler', schedulers, 'scheduler', schedulerDrivers(streams, schedulers)),
    ...runners.map((one) => one.pods),
    pods('collector', collectors, 'collector', collectorDrivers(streams, collectors)),
  ];
  const all = (of: (one: PlannedPods) => number): number => services.reduce((sum, one) => sum + of(one), 0);
  const bus = {
    inMegabytesPerSecond: streams.reduce((sum, one) => sum + one.publishedFrames * one.frameMegabytes, 0),
    outMegabytesPerSecond: fetched.megabytes,
    bufferMegabytes: streams.reduce((sum, one) => sum + one.bufferMegabytes, 0),
  };
  return {
    streams: streams.length,
    services,
    total: {
      pods: all((one) => one.pods),
      cores: all((one) => one.cores),
      memoryMiB: all((one) => one.memoryMiB),
      gpus: all((one) => one.gpus),
    },
    bus,
    notes: notesOf(curve, streams.length, bus, collectors),
  };
}

/** A device that an algorithm's options name, as those built in with a model take it. */
const isOnGpu = ({ options }: AlgorithmDefinition): boolean => options.device === 'gpu';

/** Of an instance that is busy. One that waits for its GPU holds one as much as one that computes. */
const threadsOf = ({ options }: AlgorithmDefinition): number =>
  typeof options.threads === 'number' && options.threads > 0 ? options.threads : 1;

/** Instances kept busy, as the scheduler tells autoscalers before a runner has told what a window costs. */
function offeredLoad({ name, expectedMs }: AlgorithmDefinition, streams: readonly StreamWork[]): number {
  const load = new OfferedLoad({ expectedMs: () => expectedMs, nowMs: 0 });
  for (const { definition, invocations, maxInFlight } of streams.flatMap(({ lanes }) => lanes))
    load.follow({ definition, mode: 'realtime', perSecond: invocations, maxInFlight, due: () => 0, open: () => 0 }, 0);
  return load.of(name).load.realtime;
}

function refuseUnknownCodecs(curve: CostCurve, streams: readonly StreamWork[]): void {
  const known = codecsOf(curve);
  const unknown = streams.find(({ codec }) => !known.includes(codec));
  if (unknown === undefined) return;
  throw new Fault(
    'CONFIG_INVALID',
    `what decoding ${unknown.codec} costs was not measured: choose one of ${known.join(', ')}, or measure it with make bench-plan`,
  );
}

function notesOf(
  { measuredUpTo }: CostCurve,
  streams: number,
  bus: DeploymentPlan['bus'],
  collectors: number,
): readonly string[] {
  const megabytes = bus.inMegabytesPerSecond + bus.outMegabytesPerSecond;
  const factor = Math.max(streams / measuredUpTo.streams, megabytes / measuredUpTo.busMegabytesPerSecond);
  return [
    ...(factor > 1
      ? [
          `extrapolated: measured were up to ${measuredUpTo.streams} streams and ${Math.round(measuredUpTo.busMegabytesPerSecond)} MB/s over the bus`,
        ]
      : []),
    ...(collectors > 1 ? ['several collectors need PostgreSQL as their store'] : []),
  ];
}
