import { expect, test } from 'vitest';
import { DueRate } from './due-rate.ts';

/** Samples each second, with so many due in each. */
function play(rate: DueRate, fromS: number, toS: number, perSecond: number, before = 0): number {
  let due = before;
  for (let second = fromS + 1; second <= toS; second += 1) {
    due += perSecond;
    rate.sample(Math.floor(due), second * 1_000);
  }
  return due;
}

test('a camera counts as scheduled from its first moment, and as it comes from then on', () => {
  const rate = new DueRate({ perSecond: 10, nowMs: 0 });
  expect(rate.perSecond).toBe(10);
  play(rate, 0, 60, 5);
  expect(rate.perSecond).toBeCloseTo(5, 1);
});

test('a camera that is lost counts for nothing after a while', () => {
  const rate = new DueRate({ perSecond: 10, nowMs: 0 });
  const due = play(rate, 0, 30, 10);
  play(rate, 30, 35, 0, due);
  expect(rate.perSecond).toBeGreaterThan(5);
  play(rate, 35, 100, 0, due);
  expect(rate.perSecond).toBe(0);
});

test('what is due once a minute is not lost between, nor a spike', () => {
  const rate = new DueRate({ perSecond: 1 / 60, nowMs: 0 });
  let due = 0;
  const seen: number[] = [];
  for (let second = 1; second <= 1_200; second += 1) {
    if (second % 60 === 0) due += 1;
    rate.sample(due, second * 1_000);
    seen.push(rate.perSecond * 60);
  }
  expect(Math.min(...seen)).toBeGreaterThan(0.7);
  expect(Math.max(...seen)).toBeLessThan(1.3);
});

test('two samples at one time are one', () => {
  const rate = new DueRate({ perSecond: 10, nowMs: 0 });
  rate.sample(5, 0);
  rate.sample(10, 1_000);
  expect(rate.perSecond).toBeCloseTo(10);
});
