import { expect, test } from 'vitest';
import { FrameRate } from './frame-rate.ts';

test('the rate is that of the last seconds, and falls to nothing when no frame comes', () => {
  const rate = new FrameRate();
  expect(rate.perSecond(0)).toBe(0);
  rate.count(1, 0);
  for (let atMs = 250; atMs <= 10_000; atMs += 250) rate.count(atMs <= 5_000 ? 5 : 10, atMs);
  expect(rate.perSecond(10_000)).toBe(40);
  expect(rate.perSecond(12_000)).toBeCloseTo(90 / 4.25, 1);
  expect(rate.perSecond(20_000)).toBe(0);
});
