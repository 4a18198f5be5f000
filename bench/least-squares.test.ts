import { expect, test } from 'vitest';
import { nonNegativeLeastSquares } from './least-squares.ts';

test('what rows are made of is found again', () => {
  const rows = [
    [1, 0, 5],
    [1, 2, 1],
    [1, 7, 3],
    [1, 4, 4],
  ].map((values) => ({ values, result: 3 * (values[0] ?? 0) + 0.5 * (values[1] ?? 0) + 0.01 * (values[2] ?? 0) }));
  const [first, second, third] = nonNegativeLeastSquares(rows, ({ result }) => 1 / result);
  expect(first).toBeCloseTo(3, 4);
  expect(second).toBeCloseTo(0.5, 4);
  expect(third).toBeCloseTo(0.01, 4);
});

test('what would be negative is nothing, and the others make up for it', () => {
  const rows = [
    { values: [1, 0], result: 2 },
    { values: [1, 1], result: 1 },
  ];
  const [first, second] = nonNegativeLeastSquares(rows, () => 1);
  expect(second).toBe(0);
  expect(first).toBeCloseTo(1.5, 6);
});

test('a row that counts more is met more closely', () => {
  const rows = [
    { values: [1], result: 2 },
    { values: [1], result: 4 },
  ];
  expect(nonNegativeLeastSquares(rows, ({ result }) => (result === 4 ? 10 : 1))[0]).toBeGreaterThan(3.9);
});
