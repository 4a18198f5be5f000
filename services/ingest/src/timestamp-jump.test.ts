import { expect, test } from 'vitest';
import { TimestampJump } from './timestamp-jump.ts';

/** Indices of the frames, given as presentation and arrival time in milliseconds, at which the time leapt. */
function jumps(frames: readonly (readonly [number | undefined, number])[]): number[] {
  const watch = new TimestampJump();
  return frames.flatMap(([presentationMs, arrivedAtMs], i) => (watch.frame(presentationMs, arrivedAtMs) ? [i] : []));
}

test('a time that goes back, or leaps ahead, is told once, at the frame where it did', () => {
  expect(
    jumps([
      [1_000_000, 0],
      [1_000_040, 40],
      [0, 80],
      [40, 120],
      [3_600_000, 160],
      [3_600_040, 200],
    ]),
  ).toEqual([2, 4]);
});

test('up to 5 s are no jump, either way', () => {
  expect(
    jumps([
      [10_000, 0],
      [15_000, 0],
      [10_000, 0],
      [15_001, 0],
      [10_000, 0],
    ]),
  ).toEqual([3, 4]);
});

test('frames that arrive late, and then at once, are no jump: their times passed', () => {
  const burst = Array.from({ length: 500 }, (_, i) => [1_040 + i * 40, 20_000] as const);
  expect(jumps([[1_000, 0], ...burst])).toEqual([]);
});

test('a silence whose time passed is no jump', () => {
  expect(
    jumps([
      [0, 0],
      [60_000, 60_000],
    ]),
  ).toEqual([]);
});

test('a clock that is too fast by a thousandth for weeks is no jump', () => {
  const watch = new TimestampJump();
  for (let second = 0; second < 14 * 86_400; second += 1)
    if (watch.frame(second * 1_001, second * 1_000)) throw new Error(`at ${second} s`);
});

test('a frame without a time tells nothing', () => {
  expect(
    jumps([
      [1_000, 0],
      [undefined, 40],
      [1_080, 80],
    ]),
  ).toEqual([]);
});
