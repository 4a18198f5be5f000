/** What an interval in seconds comes to: it is counted in whole played frames, rounded down, so it may be shorter than was asked for. */

import { compare, floorProduct, parseRational, type Rational, rational, toNumber } from '@stream-infer/core/rational';
import { timeKey } from '@stream-infer/core/time-key';

export type RealInterval = {
  readonly frames: number;
  /** Seconds between invocations, truncated to milliseconds. */
  readonly seconds: string;
  /** Played frames a second, as people read them. */
  readonly fps: string;
};

/** Undefined where the interval is kept, or is none. @param frames that it was planned as, where that is known. */
export function realInterval(interval: string | undefined, fps: Rational, frames?: number): RealInterval | undefined {
  const asked = interval === undefined ? undefined : parseRational(interval);
  if (!asked) return undefined;
  const counted = frames ?? floorProduct(asked, fps);
  const real = rational(BigInt(counted) * BigInt(fps.den), fps.num);
  if (counted === 0 || compare(real, asked) >= 0) return undefined;
  return { frames: counted, seconds: timeKey(counted, fps), fps: String(Number(toNumber(fps).toFixed(3))) };
}
