/**
 * Whether a file has a constant rate, and which, from the presentation times of its packets. What containers and ffprobe say of
 * the rate are candidates only: `r_frame_rate` is the finest grid that all times lie on, which is no rate where frames are
 * missing from it, and `avg_frame_rate` is an average. A rate is constant when every time lies on its grid (SEMANTICS, "Rates
 * and time").
 */

import { parseRational, type Rational, rational, toNumber } from '@stream-infer/core/rational';

/** Presentation times of packets that follow each other, in ticks, in any order. */
export type PacketWindow = {
  readonly ptsTicks: readonly number[];
  /** False where it was cut short, so that frames before its last ones may be missing. */
  readonly whole: boolean;
};

export type RateQuestion = {
  readonly windows: readonly PacketWindow[];
  readonly timeBase: Rational;
  /** ffprobe's r_frame_rate and avg_frame_rate, such as `30000/1001`, or `0/0` where it found none. */
  readonly realRate: string | undefined;
  readonly averageRate: string | undefined;
};

export type RateFacts = { readonly fps: Rational; readonly constant: boolean };

/** What is played where nothing tells the rate, as ffmpeg assumes it too. */
const FALLBACK_FPS = rational(25);
/** Frames may be this much off the grid: capture clocks and muxers round. SEMANTICS allows slots the same. */
const TOLERANCE_SECONDS = 0.001;
/** Above this a rate is a time base mistaken for one. */
const HIGHEST_FPS = 1_000;
/** No codec reorders over more frames. */
const REORDERED_FRAMES = 32;

/** The rate of a file. Without usable packet times it is what the container says, taken as constant. */
export function rateFacts({ windows, timeBase, realRate, averageRate }: RateQuestion): RateFacts {
  const runs = windows.map(inOrder).filter((times) => times.length > 1);
  const real = plausible(realRate);
  const average = plausible(averageRate);
  if (runs.length === 0) return { fps: average ?? real ?? FALLBACK_FPS, constant: true };
  const estimate = estimatedRate(runs[0] ?? [], timeBase);
  const candidates = [real, average && nominalRate(average), estimate && nominalRate(estimate), average, estimate];
  const fitting = candidates.find((rate) => rate && runs.every((times) => liesOnGrid(times, rate, timeBase)));
  if (fitting) return { fps: fitting, constant: true };
  return { fps: average ?? estimate ?? real ?? FALLBACK_FPS, constant: false };
}

/**
 * The rate of a live source: ffprobe averages over the few frames that it saw, so the round rate nearby is taken where there is
 * one.
 */
export function liveRate(realRate: string | undefined, averageRate: string | undefined): Rational {
  const rate = plausible(averageRate) ?? plausible(realRate) ?? FALLBACK_FPS;
  return nominalRate(rate, 0.01) ?? rate;
}

/** A rate as ffprobe prints it; undefined for `0/0` and what no video has. */
function plausible(text: string | undefined): Rational | undefined {
  const rate = text === undefined ? undefined : parseRational(text);
  return rate && rate.num > 0 && toNumber(rate) <= HIGHEST_FPS ? rate : undefined;
}

/** Ascending, without the last ones of a window that was cut short, between which frames may be missing. */
function inOrder({ ptsTicks, whole }: PacketWindow): number[] {
  const times = [...ptsTicks].sort((a, b) => a - b);
  return whole ? times : times.slice(0, Math.max(0, times.length - REORDERED_FRAMES));
}

function estimatedRate(times: readonly number[], timeBase: Rational): Rational | undefined {
  const ticks = (times.at(-1) ?? 0) - (times[0] ?? 0);
  if (ticks <= 0) return undefined;
  try {
    return rational(BigInt(times.length - 1) * BigInt(timeBase.den), BigInt(ticks) * BigInt(timeBase.num));
  } catch {
    return undefined;
  }
}

/** Rates that television multiplies by 1000/1001. */
const TELEVISION_FPS = [24, 30, 48, 60, 120];

/** The rate in common use nearest to one that was measured; undefined where none is near. */
function nominalRate(measured: Rational, within = 0.001): Rational | undefined {
  const value = toNumber(measured);
  const halves = Math.max(1, Math.round(value * 2));
  const television = TELEVISION_FPS.map((fps) => rational(fps * 1_000, 1_001));
  const candidates = [rational(Math.max(1, Math.round(value))), rational(halves, 2), ...television];
  const off = (rate: Rational): number => Math.abs(toNumber(rate) - value) / value;
  const [nearest] = candidates.sort((a, b) => off(a) - off(b));
  return nearest && off(nearest) <= within ? nearest : undefined;
}

function liesOnGrid(times: readonly number[], rate: Rational, timeBase: Rational): boolean {
  const ticksPerSecond = timeBase.den / timeBase.num;
  const period = (ticksPerSecond * rate.den) / rate.num;
  const tolerance = Math.max(1, TOLERANCE_SECONDS * ticksPerSecond) + 1e-6;
  const first = times[0] ?? 0;
  return times.every((time, index) => Math.abs(time - first - index * period) <= tolerance);
}
