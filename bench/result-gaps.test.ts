import { expect, test } from 'vitest';
import { ResultGaps } from './result-gaps.ts';

const given = (...arrivals: readonly (readonly [stream: string, n: number, atMs: number])[]): ResultGaps => {
  const gaps = new ResultGaps();
  for (const [stream, n, atMs] of arrivals) gaps.add({ stream, algorithm: 'a', n, atMs });
  return gaps;
};

test('the longest gap of each series stands, in frames and in time', () => {
  const gaps = given(['x', 2, 200], ['y', 2, 210], ['x', 4, 400], ['y', 6, 500], ['x', 6, 900], ['y', 8, 800]);
  expect(gaps.all(900)).toEqual([
    { stream: 'x', algorithm: 'a', results: 3, frames: 2, ms: 500, sinceMs: 400 },
    { stream: 'y', algorithm: 'a', results: 3, frames: 4, ms: 300, sinceMs: 500 },
  ]);
});

test('a series that has come to a stop has a gap that grows', () => {
  expect(given(['x', 1, 100], ['x', 2, 200]).all(9_200)).toMatchObject([{ frames: 1, ms: 9_000, sinceMs: 200 }]);
});

test('a single result has no gap before it', () => {
  expect(given(['x', 50, 100]).all(100)).toEqual([
    { stream: 'x', algorithm: 'a', results: 1, frames: 0, ms: 0, sinceMs: 100 },
  ]);
});
