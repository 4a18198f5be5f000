/**
 * Exact fractions for rates, intervals and positions (D6): 30000/1001 stays 30000/1001, and 1.16 is 29/25.
 * Numerator and denominator are safe integers in lowest terms; products are taken as BigInt, so nothing rounds.
 */

export type Rational = { readonly num: number; readonly den: number };

const gcd = (a: bigint, b: bigint): bigint => (b === 0n ? a : gcd(b, a % b));

/** The least number that both divide, undefined beyond 2^53. */
export function leastCommonMultiple(a: number, b: number): number | undefined {
  const multiple = (BigInt(a) / gcd(BigInt(a), BigInt(b))) * BigInt(b);
  return multiple <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(multiple) : undefined;
}

/** num/den in lowest terms with a positive denominator. Throws RangeError for den = 0 or parts beyond 2^53. */
export function rational(num: number | bigint, den: number | bigint = 1): Rational {
  let n = BigInt(num);
  let d = BigInt(den);
  if (d === 0n) throw new RangeError('a fraction with denominator 0');
  if (d < 0n) {
    n = -n;
    d = -d;
  }
  const divisor = gcd(n < 0n ? -n : n, d);
  const result = { num: Number(n / divisor), den: Number(d / divisor) };
  if (!Number.isSafeInteger(result.num) || !Number.isSafeInteger(result.den))
    throw new RangeError('a fraction beyond 2^53');
  return result;
}

/** Reads `30`, `29.97`, `1e-3`, `"30000/1001"` exactly. Returns undefined where it is no finite number. */
export function parseRational(value: number | string): Rational | undefined {
  const text = String(value).trim();
  const fraction = /^([+-]?\d+)\s*\/\s*(\d+)$/.exec(text);
  try {
    if (fraction) return rational(BigInt(fraction[1] ?? ''), BigInt(fraction[2] ?? ''));
    const decimal = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text);
    if (!decimal) return undefined;
    const [, sign = '', whole = '', part = '', exponent = '0'] = decimal;
    if (whole === '' && part === '') return undefined;
    const digits = BigInt(whole + part) * (sign === '-' ? -1n : 1n);
    const power = Number(exponent) - part.length;
    return power >= 0 ? rational(digits * 10n ** BigInt(power), 1n) : rational(digits, 10n ** BigInt(-power));
  } catch {
    return undefined;
  }
}

/** `30` or `30000/1001`. */
export const formatRational = ({ num, den }: Rational): string => (den === 1 ? String(num) : `${num}/${den}`);

export const toNumber = ({ num, den }: Rational): number => num / den;

export const multiply = (a: Rational, b: Rational): Rational =>
  rational(BigInt(a.num) * BigInt(b.num), BigInt(a.den) * BigInt(b.den));

export const divide = (a: Rational, b: Rational): Rational =>
  rational(BigInt(a.num) * BigInt(b.den), BigInt(a.den) * BigInt(b.num));

/** Negative, zero or positive as a is below, equal to or above b. */
export function compare(a: Rational, b: Rational): number {
  const difference = BigInt(a.num) * BigInt(b.den) - BigInt(b.num) * BigInt(a.den);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export const minimum = (a: Rational, b: Rational): Rational => (compare(a, b) <= 0 ? a : b);

/** floor(a / b) for b above 0. */
export const floorDivide = (a: bigint, b: bigint): bigint => (a >= 0n || a % b === 0n ? a / b : a / b - 1n);

/** floor(r), exactly. */
export const floor = (r: Rational): number => Number(floorDivide(BigInt(r.num), BigInt(r.den)));

/** floor(r × n), exactly. */
export const floorTimes = (r: Rational, n: number): number =>
  Number(floorDivide(BigInt(r.num) * BigInt(n), BigInt(r.den)));

/** ceil(r × n), exactly. */
export const ceilTimes = (r: Rational, n: number): number =>
  Number(-floorDivide(-(BigInt(r.num) * BigInt(n)), BigInt(r.den)));

/** floor(a × b), exactly, however large the parts of the product are. */
export const floorProduct = (a: Rational, b: Rational): number =>
  Number(floorDivide(BigInt(a.num) * BigInt(b.num), BigInt(a.den) * BigInt(b.den)));
