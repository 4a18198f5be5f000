import { expect, test } from 'vitest';
import { trendOf } from './trend.ts';

const points = (count: number, value: (at: number) => number) =>
  Array.from({ length: count }, (_, at) => ({ at, value: value(at) }));

test('a straight line has its slope, and no error', () => {
  const { slope, error } = trendOf(points(10, (at) => 5 + 2 * at));
  expect(slope).toBeCloseTo(2, 12);
  expect(error).toBeCloseTo(0, 12);
});

test('of independent samples the error is that of the textbook', () => {
  // y = 1, 3, 2, 5, 4: slope 0.8, residuals that sum to 3.6 in squares, and neighbours that do not hang together.
  const { slope, error } = trendOf(points(5, (at) => [1, 3, 2, 5, 4][at] ?? 0));
  expect(slope).toBeCloseTo(0.8, 12);
  expect(error).toBeCloseTo(Math.sqrt(3.6 / 3 / 10), 12);
});

test('samples that hang together are known less well than as many that do not', () => {
  const wave = trendOf(points(200, (at) => Math.sin(at / 10)));
  const shuffled = trendOf(points(200, (at) => Math.sin((at * 73) % 200)));
  expect(wave.error).toBeGreaterThan(5 * shuffled.error);
  expect(Math.abs(wave.slope)).toBeLessThan(2 * wave.error);
});

test('a leak among noise is seen', () => {
  const { slope, error } = trendOf(points(300, (at) => 100 + 0.05 * at + ((at * 73) % 17) / 4));
  expect(slope - 2 * error).toBeGreaterThan(0.04);
});

test('two samples tell no trend', () => {
  expect(trendOf(points(2, (at) => at))).toEqual({ slope: Number.NaN, error: Number.NaN });
});
