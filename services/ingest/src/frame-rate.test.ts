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

test('a burst at the start is no rate: none is told before a second has gone by', () => {
  const rate = new FrameRate();
  rate.count(44, 1_000);
  for (const nowMs of [1_000, 1_001, 1_200]) expect(rate.perSecond(nowMs)).toBe(0);
  for (let atMs = 1_250; atMs <= 2_000; atMs += 250) rate.count(2, atMs);
  expect(rate.perSecond(1_999)).toBe(0);
  expect(rate.perSecond(2_000)).toBe(8);
});
