/**
 * What one camera gives the pipeline to do: a pure function of its spec and its picture, by the same plan that ingest and scheduler follow.
 * And what is thereby driven in each role: the one place where it stands, for those who measure and for those who plan.
 */

import type { AlgorithmDefinition } from '@stream-infer/core/algorithm-definition';
import { askedSize } from '@stream-infer/core/asked-size';
import { type BufferSize, plannedBuffer } from '@stream-infer/core/memory-admission';
import { neededFrames, neededShare } from '@stream-infer/core/needed-frames';
import { bytesPerFrame } from '@stream-infer/core/pixel-format';
import { compare, formatRational, parseRational, type Rational, toNumber } from '@stream-infer/core/rational';
import { type PlannedAlgorithm, samplePlan } from '@stream-infer/core/sample-plan';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import type { Drivers } from './cost-curve.ts';

/** What a camera sends. */
export type Camera = {
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: Rational;
  readonly codec: string;
};

/** One algorithm on one stream. Rates are per second, sizes in megabytes. */
export type LaneWork = {
  readonly definition: string;
  readonly invocations: number;
  /** Where each window is fetched by itself, and where windows that share frames come to one runner. */
  readonly fetchedFrames: { readonly apart: number; readonly together: number };
  readonly maxInFlight: number;
};

/** Rates are per second, sizes in megabytes. */
export type StreamWork = {
  readonly codec: string;
  readonly decodedFrames: number;
  readonly megapixels: number;
  readonly publishedFrames: number;
  readonly frameMegabytes: number;
  /** Of the bus's memory, which the frame buffer reserves. */
  readonly bufferMegabytes: number;
  readonly lanes: readonly LaneWork[];
};

const MEGA = 1e6;

/** Throws what samplePlan throws. */
export function streamWork(spec: StreamSpec, camera: Camera): StreamWork {
  const asked = spec.fps === undefined ? undefined : parseRational(spec.fps);
  const played = asked && compare(asked, camera.framesPerSecond) < 0 ? asked : camera.framesPerSecond;
  const size = askedSize(spec, camera) ?? camera;
  const told = { ...spec, width: size.width, height: size.height, fps: formatRational(played) };
  const plan = samplePlan(told, {
    ...size,
    fps: formatRational(camera.framesPerSecond),
    sampling: 'time',
    timeBase: '1/1000',
    live: true,
    codec: camera.codec,
  });
  const fps = toNumber(played);
  // With width, height and fps told, there is one.
  const { capacity } = plannedBuffer(told) as BufferSize;
  const frameMegabytes = bytesPerFrame(spec.pixelFormat, size.width, size.height) / MEGA;
  return {
    codec: camera.codec,
    decodedFrames: toNumber(camera.framesPerSecond),
    megapixels: (camera.width * camera.height) / MEGA,
    publishedFrames: fps * neededShare(plan.needed),
    frameMegabytes,
    bufferMegabytes: capacity * frameMegabytes,
    lanes: plan.algorithms.map((algorithm) => laneWork(algorithm, fps)),
  };
}

function laneWork(algorithm: PlannedAlgorithm, fps: number): LaneWork {
  const { definition, intervalFrames, frameCount, maxInFlight } = algorithm;
  const invocations = fps / intervalFrames;
  const together = fps * neededShare(neededFrames('index', [algorithm]));
  return {
    definition,
    invocations,
    fetchedFrames: { apart: invocations * frameCount, together },
    maxInFlight,
  };
}

/** What is driven in a role. */
export type RoleDrivers = { readonly cores: Drivers; readonly memory: Drivers };

type Of<T> = (one: T) => number;
const sum = <T>(all: readonly T[], of: Of<T>): number => all.reduce((total, one) => total + of(one), 0);
const published = ({ publishedFrames, frameMegabytes }: StreamWork): number => publishedFrames * frameMegabytes;

/** @param ingests in each of which they share their libraries. */
export function ffmpegDrivers(streams: readonly StreamWork[], ingests: number): RoleDrivers {
  const codecs = [...new Set(streams.map(({ codec }) => codec))];
  const decoded = codecs.flatMap((codec): readonly (readonly [string, number])[] => {
    const own = streams.filter((stream) => stream.codec === codec);
    return [
      [`${codec} frames`, sum(own, ({ decodedFrames }) => decodedFrames)],
      [`${codec} megapixels`, sum(own, ({ decodedFrames, megapixels }) => decodedFrames * megapixels)],
    ];
  });
  return {
    cores: {
      ...Object.fromEntries<number>(decoded),
      // A picture is scaled as it was, and comes out as it is to be.
      scaledMegapixels: sum(streams, ({ publishedFrames, megapixels }) => publishedFrames * megapixels),
      publishedMegabytes: sum(streams, published),
    },
    memory: {
      ingests: streams.length === 0 ? 0 : ingests,
      processes: streams.length,
      megapixels: sum(streams, ({ megapixels }) => megapixels),
      frameMegabytes: sum(streams, ({ frameMegabytes }) => frameMegabytes),
    },
  };
}

export function ingestDrivers(streams: readonly StreamWork[], processes: number): RoleDrivers {
  return {
    cores: {
      processes,
      decodedFrames: sum(streams, ({ decodedFrames }) => decodedFrames),
      publishedFrames: sum(streams, ({ publishedFrames }) => publishedFrames),
      publishedMegabytes: sum(streams, published),
    },
    memory: {
      processes,
      streams: streams.length,
      frameMegabytes: sum(streams, ({ frameMegabytes }) => frameMegabytes),
    },
  };
}

/** What crosses the bus to runners. */
export type Fetched = { readonly invocations: number; readonly frames: number; readonly megabytes: number };

export function busDrivers(streams: readonly StreamWork[], fetched: Fetched): RoleDrivers {
  return {
    cores: {
      processes: 1,
      publishedFrames: sum(streams, ({ publishedFrames }) => publishedFrames),
      publishedMegabytes: sum(streams, published),
      fetchedFrames: fetched.frames,
      fetchedMegabytes: fetched.megabytes,
      invocations: fetched.invocations,
    },
    memory: { processes: 1, bufferMegabytes: sum(streams, ({ bufferMegabytes }) => bufferMegabytes) },
  };
}

export function schedulerDrivers(streams: readonly StreamWork[], processes: number): RoleDrivers {
  return {
    cores: {
      processes,
      publishedFrames: sum(streams, ({ publishedFrames }) => publishedFrames),
      invocations: sum(streams, ({ lanes }) => sum(lanes, ({ invocations }) => invocations)),
    },
    memory: { processes, lanes: sum(streams, ({ lanes }) => lanes.length) },
  };
}

export type Runners = {
  readonly processes: number;
  readonly instances: number;
  /** Instances with a model. */
  readonly models: number;
};

/** Besides what the algorithm itself costs. */
export function runnerDrivers(fetched: Fetched, { processes, instances, models }: Runners): RoleDrivers {
  return {
    cores: {
      processes,
      invocations: fetched.invocations,
      fetchedFrames: fetched.frames,
      fetchedMegabytes: fetched.megabytes,
    },
    memory: { processes, instances, models, fetchedMegabytes: fetched.megabytes },
  };
}

export function collectorDrivers(streams: readonly StreamWork[], processes: number): RoleDrivers {
  return {
    cores: {
      processes,
      invocations: sum(streams, ({ lanes }) => sum(lanes, ({ invocations }) => invocations)),
    },
    memory: { processes, streams: streams.length },
  };
}

/** So many runners of an algorithm. */
export function runnersOf({ concurrency, options }: AlgorithmDefinition, processes: number): Runners {
  const instances = processes * concurrency;
  return { processes, instances, models: options.model === undefined ? 0 : instances };
}

/** What one algorithm's runners fetch. @param together its windows all come to one runner, which fetches a frame that they share once. */
export function fetchedBy(streams: readonly StreamWork[], definition: string, together: boolean): Fetched {
  const lanes = streams.flatMap(({ lanes: all, frameMegabytes }) =>
    all.filter((lane) => lane.definition === definition).map((lane) => ({ ...lane, frameMegabytes })),
  );
  const frames = ({ fetchedFrames }: LaneWork): number => (together ? fetchedFrames.together : fetchedFrames.apart);
  return {
    invocations: sum(lanes, ({ invocations }) => invocations),
    frames: sum(lanes, frames),
    megabytes: sum(lanes, (lane) => frames(lane) * lane.frameMegabytes),
  };
}
