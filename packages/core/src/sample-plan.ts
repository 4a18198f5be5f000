/**
 * How a stream is sampled: which source frames are played, what numbers they carry, when each algorithm is due and which frames
 * are published. Ingest and scheduler derive the same plan from the spec and the probed source, and neither computes anything
 * of it another way (D3, D6). Rates are exact fractions throughout.
 */

import { Fault } from './fault.ts';
import { isNeededBy, mostNeededIn, type Needed, neededFrames } from './needed-frames.ts';
import {
  compare,
  floorDivide,
  floorProduct,
  formatRational,
  leastCommonMultiple,
  minimum,
  parseRational,
  type Rational,
  toNumber,
} from './rational.ts';
import type { Sampling, SourceFacts } from './run.ts';
import type { Mode, StreamAlgorithm, StreamSpec } from './stream-spec.ts';
import { upstreamFirst } from './upstream.ts';

export type { Needed } from './needed-frames.ts';

export type PlannedAlgorithm = {
  readonly name: string;
  readonly definition: string;
  /** 0 only with `after`. */
  readonly frameCount: number;
  readonly frameStep: number;
  /** The algorithms that it comes after; absent for one that is due by its own interval. */
  readonly after?: readonly string[];
  /** Due when n mod intervalFrames = 0; with `after` the least common multiple of theirs, and due only where all of them are. */
  readonly intervalFrames: number;
  /** Played frames a window spans: frameCount × max(frameStep, 1). */
  readonly span: number;
  readonly timeoutMs: number;
  readonly maxInFlight: number;
  readonly maxAttempts: number;
  /** Realtime: how old its newest frame may be when a window reaches the algorithm, in milliseconds since capture. */
  readonly maxStalenessMs: number;
  /** How long the frame buffer is to keep the frames of a window that waits. */
  readonly heldMs: number;
};

export type SamplePlan = {
  readonly sampling: Sampling;
  readonly sourceFps: Rational;
  /** Effective play rate: by index never above the source's; by time the one asked for, unless a camera sends clearly fewer frames. */
  readonly fps: Rational;
  /** Start, in seconds. */
  readonly position: Rational;
  /** First source frame, sampling by index. By time it is 0: slots before firstN are not played. */
  readonly startIndex: number;
  readonly firstN: number;
  readonly algorithms: readonly PlannedAlgorithm[];
  readonly needed: Needed;
};

/** Throws INTERVAL_TOO_SHORT, WINDOW_EXCEEDS_BUFFER and CONFIG_INVALID, naming stream, algorithm and figures. */
export function samplePlan(spec: StreamSpec, source: SourceFacts): SamplePlan {
  const where = `stream ${spec.id}`;
  const sourceFps = fraction(source.fps, `${where}: the source's frame rate`);
  const asked = spec.fps === undefined ? sourceFps : fraction(spec.fps, `${where}: fps`);
  const fps = source.sampling === 'index' || isSlowCamera(source, sourceFps, asked) ? minimum(asked, sourceFps) : asked;
  const position = fraction(spec.position, `${where}: position`);
  const dueFps = source.sampling === 'index' && isJustBelow(sourceFps, asked) ? asked : fps;
  const algorithms = plannedAlgorithms(spec, { dueFps, fps }, where);
  return {
    sampling: source.sampling,
    sourceFps,
    fps,
    position,
    startIndex: source.sampling === 'index' ? floorProduct(position, sourceFps) : 0,
    firstN: floorProduct(position, fps) + 1,
    algorithms,
    needed: neededFrames(source.sampling, algorithms),
  };
}

function fraction(text: string, what: string): Rational {
  const value = parseRational(text);
  if (value === undefined) throw new Fault('CONFIG_INVALID', `${what} is "${text}": give a decimal or a fraction`);
  return value;
}

/**
 * At a rate above its own a camera leaves slots empty, mostly the same ones of each second, and an algorithm that is due in those never runs. What
 * was measured over a few frames may be a little less than what it sends, so a tenth less counts as the same. A stream without times has no rate to measure.
 */
const isSlowCamera = ({ live, clocked }: SourceFacts, measured: Rational, asked: Rational): boolean =>
  live && !clocked && 10n * BigInt(measured.num) * BigInt(asked.den) <= 9n * BigInt(asked.num) * BigInt(measured.den);

/** Below by less than 1 %, as 30000/1001 is below 30: such a file is meant to be played at the round rate. */
const isJustBelow = (rate: Rational, asked: Rational): boolean =>
  compare(rate, asked) < 0 && 99n * BigInt(asked.num) * BigInt(rate.den) < 100n * BigInt(rate.num) * BigInt(asked.den);

/** What a window may wait at least, where nothing else is asked for; and what the buffer counts on then. */
const LEAST_STALENESS_MS = 1_000;

/** `dueFps` says when an algorithm is due, `fps` how much time that is. */
type Rates = { readonly dueFps: Rational; readonly fps: Rational };

/** In the spec's order; what comes after others is planned behind them. */
function plannedAlgorithms(spec: StreamSpec, rates: Rates, where: string): readonly PlannedAlgorithm[] {
  const done = new Map<string, PlannedAlgorithm>();
  for (const algorithm of upstreamFirst(spec.algorithms, where))
    done.set(algorithm.name, planned(algorithm, spec, rates, done));
  return spec.algorithms.flatMap(({ name }) => done.get(name) ?? []);
}

function planned(
  algorithm: StreamAlgorithm,
  spec: StreamSpec,
  { dueFps, fps }: Rates,
  done: ReadonlyMap<string, PlannedAlgorithm>,
): PlannedAlgorithm {
  const { name, definition, frameCount, frameStep, after, timeoutMs, maxInFlight, maxAttempts } = algorithm;
  const where = `stream ${spec.id}, algorithm ${name}`;
  if (frameCount === 0 && after === undefined)
    throw new Fault('CONFIG_INVALID', `${where}: frameCount is 0, which needs after: give it at least 1`);
  const upstream = (after ?? []).flatMap((one) => done.get(one) ?? []);
  const intervalFrames = after
    ? dueTogether(upstream)
    : (algorithm.intervalFrames ?? framesOf(algorithm.interval ?? '0', dueFps, where));
  const span = frameCount * Math.max(frameStep, 1);
  if (spec.buffer !== undefined && span > spec.buffer)
    throw new Fault(
      'WINDOW_EXCEEDS_BUFFER',
      `${where}: a window of frameCount ${frameCount} × frameStep ${frameStep} spans ${span} played frames and the buffer holds ${spec.buffer}, so it would never run: set buffer to ${span} or more, or to auto`,
    );
  const intervalMs = (intervalFrames * fps.den * 1_000) / fps.num;
  const own = algorithm.maxStalenessMs;
  // From capture on, as all times are: what it comes after takes its own.
  const upstreamMs = Math.max(0, ...upstream.map((one) => one.maxStalenessMs));
  const maxStalenessMs = own ?? Math.max(LEAST_STALENESS_MS, intervalMs) + upstreamMs;
  // A window that may wait for an hour because it is due once an hour is not to hold an hour of the others' frames.
  const heldMs = own ?? LEAST_STALENESS_MS + Math.max(0, ...upstream.map((one) => one.heldMs));
  const look = { name, definition, frameCount, frameStep, ...(after && { after }), intervalFrames, span };
  return { ...look, timeoutMs, maxInFlight, maxAttempts, maxStalenessMs, heldMs };
}

/** Where all of them are due; beyond 2^53, which no stream reaches, nowhere. */
const dueTogether = (upstream: readonly PlannedAlgorithm[]): number =>
  upstream.reduce(
    (together, { intervalFrames }) => leastCommonMultiple(together, intervalFrames) ?? Number.MAX_SAFE_INTEGER,
    1,
  );

function framesOf(interval: string, dueFps: Rational, where: string): number {
  const frames = floorProduct(fraction(interval, `${where}: interval`), dueFps);
  if (frames >= 1) return frames;
  const rate = formatRational(dueFps);
  throw new Fault(
    'INTERVAL_TOO_SHORT',
    `${where}: an interval of ${interval} s is shorter than one played frame at ${rate} fps, so it would never be due: give at least ${formatRational({ num: dueFps.den, den: dueFps.num })} s, or intervalFrames: 1 for every frame`,
  );
}

/** Number in the source of the played frame n, sampling by index: startIndex + ceil((n - firstN) × sourceFps / fps). */
export function sourceIndexOf({ sourceFps, fps, startIndex, firstN }: SamplePlan, n: number): number {
  const skipped = BigInt(n - firstN) * BigInt(sourceFps.num) * BigInt(fps.den);
  return startIndex - Number(floorDivide(-skipped, BigInt(sourceFps.den) * BigInt(fps.num)));
}

/** The inverse, sampling by index: n of a source frame, undefined where it is not played. */
export function nOfIndex(plan: SamplePlan, sourceIndex: number): number | undefined {
  const { sourceFps, fps, startIndex, firstN } = plan;
  if (sourceIndex < startIndex) return undefined;
  const played = BigInt(sourceIndex - startIndex) * BigInt(fps.num) * BigInt(sourceFps.den);
  const n = firstN + Number(played / (BigInt(fps.den) * BigInt(sourceFps.num)));
  return sourceIndexOf(plan, n) === sourceIndex ? n : undefined;
}

/**
 * n of the slot that a presentation time falls into, sampling by time: floor((pts - first + 1 ms) × fps) + 1. The first frame of a
 * slot is played, unless n is below firstN. Times are in ticks of `timeBase` seconds; `firstPtsTicks` is the source's first frame.
 */
export function slotOf({ fps }: SamplePlan, ptsTicks: number, firstPtsTicks: number, timeBase: Rational): number {
  const base = BigInt(timeBase.den) * 1000n;
  const elapsed = BigInt(ptsTicks - firstPtsTicks) * BigInt(timeBase.num) * 1000n + BigInt(timeBase.den);
  return Number(floorDivide(elapsed * BigInt(fps.num), base * BigInt(fps.den))) + 1;
}

/** Whether the played frame n is converted and published. */
export const isNeeded = (plan: SamplePlan, n: number): boolean => isNeededBy(plan.needed, n);

/** Beyond windows and work under way: what ingest and scheduler need not to wait for each other. */
const SLACK_FRAMES = 8;
/** Frames of other algorithms that may pile up between the triggers of a rare one, so that hours apart is not hours of frames. */
const MOST_BETWEEN_TRIGGERS = 64;
/** In realtime: how long a frame is wanted beyond a window's wait, as the buffer counts on: a long run, and its way to the runner. */
const HELD_LONGER_MS = 1_000 + 100;
const LEAST_REALTIME_FRAMES = 4;

/**
 * Capacity of the frame buffer in published frames (EX-3). Offline: the longest window, and for each algorithm maxInFlight
 * windows at once, those of the algorithms that it comes after besides; a run never stalls with it, since with nothing under way no
 * more than a window is held. Realtime: the longest window and what is published while a window waits as long as it may, which for
 * what comes after others is reckoned from capture on too, and a run for each of the chain.
 */
export function bufferCapacity(plan: SamplePlan, mode: Mode): number {
  const { algorithms, needed } = plan;
  const window = mostNeededIn(needed, Math.max(...algorithms.map(({ span }) => span)));
  switch (mode) {
    case 'offline':
      return window + longestChain(algorithms, (algorithm) => underWay(algorithm, needed)) + SLACK_FRAMES;
    case 'realtime': {
      const runsMs = HELD_LONGER_MS * longestChain(algorithms, () => 1);
      const heldMs = Math.max(...algorithms.map((algorithm) => algorithm.heldMs)) + runsMs;
      const heldFrames = 1 + Math.ceil((toNumber(plan.fps) * heldMs) / 1_000);
      return Math.max(LEAST_REALTIME_FRAMES, window + mostNeededIn(needed, heldFrames));
    }
  }
}

function underWay({ maxInFlight, intervalFrames, frameCount }: PlannedAlgorithm, needed: Needed): number {
  const own = maxInFlight * Math.min(frameCount, intervalFrames);
  const all = maxInFlight * mostNeededIn(needed, intervalFrames);
  return Math.max(own, Math.min(all, MOST_BETWEEN_TRIGGERS));
}

/** The largest sum of `weight` over an algorithm and those that it comes after, one behind the other. */
function longestChain(
  algorithms: readonly PlannedAlgorithm[],
  weight: (algorithm: PlannedAlgorithm) => number,
): number {
  const sums = new Map<string, number>();
  for (const algorithm of upstreamFirst(algorithms, 'plan')) {
    const before = (algorithm.after ?? []).map((name) => sums.get(name) ?? 0);
    sums.set(algorithm.name, weight(algorithm) + Math.max(0, ...before));
  }
  return Math.max(...sums.values());
}

/**
 * Offline: after how many windows an algorithm with memory is asked for a snapshot. Those behind the last one keep their frames, so
 * that they can be run again; the buffer has room for them, as they are no more than it counts on to be under way.
 */
export function snapshotEvery({ needed }: SamplePlan, { maxInFlight, intervalFrames }: PlannedAlgorithm): number {
  const between = Math.max(1, mostNeededIn(needed, intervalFrames));
  return Math.max(1, Math.min(maxInFlight, Math.floor(MOST_BETWEEN_TRIGGERS / between)));
}
