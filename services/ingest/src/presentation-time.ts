/** Presentation times out of ticks. */

import { floorDivide, type Rational } from '@stream-infer/core/rational';

/** Microseconds, rounded down, exactly. */
export const presentationTimeUs = (ptsTicks: number, { num, den }: Rational): number =>
  Number(floorDivide(BigInt(ptsTicks) * BigInt(num) * 1_000_000n, BigInt(den)));

export const presentationSeconds = (ptsTicks: number, { num, den }: Rational): number => (ptsTicks * num) / den;
