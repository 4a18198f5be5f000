/**
 * Sine, cosine, exponential and logarithm from + − × ÷ alone.
 *
 * Why: the language leaves the last bit of `Math.sin`, `Math.exp` and their kin to the engine, and one bit of one
 * pixel is another model after a few thousand training steps. IEEE 754 fixes the four operations and the square root
 * to the bit, so that everything drawn and trained here comes out the same on every processor and every Node.
 */

const TAU = 2 * Math.PI;
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const POWERS_OF_TWO = powersOfTwo(1074);

/** Sine of an angle in radians; absolute error below 1e-11 for angles of a few thousand turns at most. */
export function sine(radians: number): number {
  let x = radians - TAU * Math.round(radians / TAU);
  if (x > Math.PI / 2) x = Math.PI - x;
  else if (x < -Math.PI / 2) x = -Math.PI - x;
  const q = x * x;
  let sum = 1;
  for (let n = 17; n >= 3; n -= 2) sum = 1 - (sum * q) / (n * (n - 1));
  return x * sum;
}

/** Cosine of an angle in radians, with the error of {@link sine}. */
export function cosine(radians: number): number {
  return sine(radians + Math.PI / 2);
}

/** e to the power x; relative error below 1e-14, 0 below −700, and x is taken as 700 above 700. */
export function exponential(x: number): number {
  if (x < -700) return 0;
  const clipped = Math.min(x, 700);
  const k = Math.round(clipped / Math.LN2);
  const r = clipped - k * LN2_HIGH - k * LN2_LOW;
  let sum = 1;
  for (let n = 14; n >= 1; n--) sum = 1 + (sum * r) / n;
  return k >= 0 ? sum * powerOfTwo(k) : sum / powerOfTwo(-k);
}

/** Natural logarithm of a positive normal number; relative error below 1e-13. */
export function logarithm(x: number): number {
  let k = 0;
  let m = x;
  while (m >= 1.5) {
    m /= 2;
    k++;
  }
  while (m < 0.75) {
    m *= 2;
    k--;
  }
  const s = (m - 1) / (m + 1);
  const q = s * s;
  let sum = 0;
  for (let n = 19; n >= 1; n -= 2) sum = sum * q + 1 / n;
  return k * Math.LN2 + 2 * s * sum;
}

/** 1 / (1 + e^−x). */
export function sigmoid(x: number): number {
  return 1 / (1 + exponential(-x));
}

function powerOfTwo(k: number): number {
  return POWERS_OF_TWO[k] as number;
}

function powersOfTwo(count: number): Float64Array {
  const table = new Float64Array(count);
  table[0] = 1;
  for (let k = 1; k < count; k++) table[k] = (table[k - 1] as number) * 2;
  return table;
}
