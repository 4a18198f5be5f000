/**
 * What a result is keyed by: the time of the frame it speaks of, n / fps in seconds, truncated to the millisecond and never
 * rounded, so that its floor is the whole second played.
 */

import { floorDivide, type Rational } from './rational.ts';

/** `"1"`, `"0.1"`, `"12.5"`: no trailing zeros. */
export function timeKey(n: number, fps: Rational): string {
  const milliseconds = floorDivide(BigInt(n) * BigInt(fps.den) * 1000n, BigInt(fps.num));
  const seconds = milliseconds / 1000n;
  const rest = String(milliseconds % 1000n)
    .padStart(3, '0')
    .replace(/0+$/, '');
  return rest === '' ? String(seconds) : `${seconds}.${rest}`;
}
