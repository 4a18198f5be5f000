import { expect, test } from 'vitest';
import { timeRange } from './time-range.ts';

test('a range without an end is open there', () => {
  expect(timeRange(undefined, undefined)).toEqual({ fromMs: 0, toMs: Number.MAX_SAFE_INTEGER });
});

test.each([
  ['0', 0],
  ['1', 1_000],
  ['0.1', 100],
  ['0.3', 300],
  ['4.35', 4_350],
  ['0.0001', 1],
  ['1.0005', 1_001],
  ['999999999.999999999', 1_000_000_000_000],
])('%s s is %i ms: the first millisecond that is not before it', (seconds, ms) => {
  expect(timeRange(seconds, seconds)).toEqual({ fromMs: ms, toMs: ms });
});
