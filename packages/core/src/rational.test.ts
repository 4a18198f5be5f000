import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ceilTimes,
  compare,
  divide,
  floor,
  floorTimes,
  formatRational,
  multiply,
  parseRational,
  rational,
} from './rational.ts';

const part = fc.integer({ min: -1_000_000, max: 1_000_000 });
const whole = fc.integer({ min: 1, max: 1_000_000 });
const fraction = fc.tuple(part, whole).map(([num, den]) => rational(num, den));

describe('parseRational', () => {
  test.each([
    [30, '30'],
    ['30000/1001', '30000/1001'],
    [29.97, '2997/100'],
    [1.16, '29/25'],
    ['0.1', '1/10'],
    ['1e-3', '1/1000'],
    ['.5', '1/2'],
    ['25/2', '25/2'],
    [-3, '-3'],
  ])('%s is %s', (given, expected) => {
    const parsed = parseRational(given);
    expect(parsed && formatRational(parsed)).toBe(expected);
  });

  test.each(['', 'abc', '1/0', 'NaN', '1..2', '1/2/3', '.', Number.POSITIVE_INFINITY, Number.NaN])(
    '%s is no number',
    (given) => {
      expect(parseRational(given)).toBeUndefined();
    },
  );

  test('reads back what is written', () => {
    fc.assert(
      fc.property(fraction, (r) => {
        expect(parseRational(formatRational(r))).toEqual(r);
      }),
    );
  });
});

describe('arithmetic', () => {
  test('floor and ceiling of a product are exact where floats are not', () => {
    expect(floorTimes(rational(29, 25), 25)).toBe(29);
    expect(Math.floor(1.16 * 25)).toBe(28);
    expect(ceilTimes(rational(60, 24), 3)).toBe(8);
    expect(floorTimes(rational(-1, 2), 1)).toBe(-1);
    expect(floor(rational(-7, 2))).toBe(-4);
  });

  test('a product divided by one factor is the other', () => {
    fc.assert(
      fc.property(fraction, fraction, (a, b) => {
        fc.pre(b.num !== 0);
        expect(divide(multiply(a, b), b)).toEqual(a);
      }),
    );
  });

  test('ceil(r × n) is the least integer not below, floor(r × n) the greatest not above', () => {
    fc.assert(
      fc.property(fraction, whole, (r, n) => {
        const product = multiply(r, rational(n));
        const [low, high] = [floorTimes(r, n), ceilTimes(r, n)];
        expect(compare(rational(low), product)).toBeLessThanOrEqual(0);
        expect(compare(rational(high), product)).toBeGreaterThanOrEqual(0);
        expect(high - low).toBe(product.den === 1 ? 0 : 1);
      }),
    );
  });
});
