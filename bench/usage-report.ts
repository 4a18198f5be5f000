/**
 * What samples of a running system say of its growth. Pure. Memory may grow by no more than a share of itself over the measured time, beyond
 * two errors of its trend; what is counted, descriptors and the bus's objects, not at all: the median of the second half of the time
 * is no more than that of the first. Nothing may be unaccounted for at any time.
 */

import { mean, median, trendOf } from './trend.ts';

export type ProcessSample = {
  /** The same for as long as the process lives, and no other's. */
  readonly identity: string;
  readonly name: string;
  readonly pssMiB: number;
  readonly descriptors: number;
};

export type Sample = {
  readonly atMs: number;
  readonly processes: readonly ProcessSample[];
  /** Of JetStream. */
  readonly streams: number;
  readonly consumers: number;
  /** What the ledgers of the services have lost track of, frames and invocations. */
  readonly unaccounted: number;
};

export type Counted = {
  readonly what: string;
  readonly first: number;
  readonly second: number;
  readonly most: number;
  readonly held: boolean;
};

export type ProcessReport = {
  readonly name: string;
  readonly meanMiB: number;
  /** Medians of equal parts of the measured time, in order. */
  readonly courseMiB: readonly number[];
  /** Per hour. */
  readonly slopeMiB: number;
  readonly errorMiB: number;
  /** Over the measured time, beyond two errors. */
  readonly growthMiB: number;
  readonly limitMiB: number;
  readonly descriptors: Counted;
  readonly held: boolean;
};

export type UsageReport = {
  readonly processes: readonly ProcessReport[];
  readonly counted: readonly Counted[];
  /** Processes that came or went. */
  readonly restless: readonly string[];
  readonly held: boolean;
};

/** Of a process's own memory. */
const GROWTH_SHARE = 0.02;
/** A process of a few MiB may take a page or two. */
const LEAST_GROWTH_MIB = 1;
const HOUR_MS = 3_600_000;
const COURSE_PARTS = 5;

/** @param samples of the measured time, in their order. */
export function usageReport(samples: readonly Sample[]): UsageReport {
  const identities = new Map(samples.flatMap(({ processes }) => processes.map((one) => [one.identity, one.name])));
  const alwaysThere: ProcessReport[] = [];
  const restless: string[] = [];
  for (const [identity, name] of identities) {
    const series = samples.flatMap(({ atMs, processes }) => {
      const one = processes.find((process) => process.identity === identity);
      return one ? [{ atMs, ...one }] : [];
    });
    if (series.length === samples.length) alwaysThere.push(processReport(name, series));
    else restless.push(name);
  }
  const processes = alwaysThere.sort((a, b) => b.meanMiB - a.meanMiB);
  const all = (value: (sample: Sample) => number): readonly number[] => samples.map(value);
  const counted = [
    countedReport(
      'processes',
      all((sample) => sample.processes.length),
    ),
    countedReport(
      'JetStream streams',
      all((sample) => sample.streams),
    ),
    countedReport(
      'JetStream consumers',
      all((sample) => sample.consumers),
    ),
  ];
  const unaccounted = all((sample) => sample.unaccounted);
  const lost = countedReport('unaccounted frames and invocations', unaccounted);
  counted.push({ ...lost, held: unaccounted.every((count) => count === 0) });
  const held = restless.length === 0 && [...processes, ...counted].every((one) => one.held);
  return { processes, counted, restless, held };
}

function processReport(name: string, series: readonly (ProcessSample & { readonly atMs: number })[]): ProcessReport {
  const { slope, error } = trendOf(series.map(({ atMs, pssMiB }) => ({ at: atMs / HOUR_MS, value: pssMiB })));
  const hours = ((series.at(-1)?.atMs ?? 0) - (series[0]?.atMs ?? 0)) / HOUR_MS;
  const meanMiB = mean(series.map(({ pssMiB }) => pssMiB));
  const part = series.length / COURSE_PARTS;
  const courseMiB = Array.from({ length: COURSE_PARTS }, (_, at) =>
    median(series.slice(Math.floor(at * part), Math.floor((at + 1) * part)).map(({ pssMiB }) => pssMiB)),
  );
  const growthMiB = (slope - 2 * error) * hours;
  const limitMiB = Math.max(LEAST_GROWTH_MIB, GROWTH_SHARE * meanMiB);
  const descriptors = countedReport(
    'descriptors',
    series.map((sample) => sample.descriptors),
  );
  const held = growthMiB <= limitMiB && descriptors.held;
  return { name, meanMiB, courseMiB, slopeMiB: slope, errorMiB: error, growthMiB, limitMiB, descriptors, held };
}

function countedReport(what: string, values: readonly number[]): Counted {
  const middle = Math.floor(values.length / 2);
  const [first, second] = [median(values.slice(0, middle)), median(values.slice(middle))];
  return { what, first, second, most: Math.max(...values), held: second <= first };
}
