import { rational } from '@stream-infer/core/rational';
import { expect, test } from 'vitest';
import { presentationTimeUs } from './presentation-time.ts';

test.each([
  [33, rational(1, 1000), 33_000],
  [2002, rational(1, 30_000), 66_733],
  [-1, rational(1, 3), -333_334],
  [2 ** 40 + 1, rational(1, 90_000), 12_216_795_864_188],
])('%i ticks are microseconds, rounded down', (ticks, timeBase, expected) => {
  expect(presentationTimeUs(ticks, timeBase)).toBe(expected);
});
