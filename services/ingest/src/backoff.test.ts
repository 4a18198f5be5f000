import { expect, test } from 'vitest';
import { Backoff } from './backoff.ts';

const LIMITS = { minMs: 250, maxMs: 15_000 };
const almostOne = 1 - Number.EPSILON;
const waits = (backoff: Backoff, count: number, reason: Parameters<Backoff['next']>[0] = 'refused'): number[] =>
  Array.from({ length: count }, () => Math.round(backoff.next(reason)));

test('the longest wait doubles from the first to the limit, and stays there for weeks', () => {
  const backoff = new Backoff({ ...LIMITS, random: () => almostOne });
  expect(waits(backoff, 9)).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
  for (let loss = 0; loss < 100_000; loss += 1) backoff.next('timeout');
  expect(backoff.next('timeout')).toBeCloseTo(15_000);
});

test('a wait is anywhere between none and the longest: sources lost together come back spread', () => {
  const sequence = [0, 0.25, 0.5, 0.75];
  const backoff = new Backoff({ minMs: 1_000, maxMs: 1_000, random: () => sequence.shift() ?? 0 });
  expect(waits(backoff, 4)).toEqual([0, 250, 500, 750]);
});

test('it begins anew only when the source held', () => {
  const backoff = new Backoff({ ...LIMITS, random: () => almostOne });
  expect(waits(backoff, 3)).toEqual([250, 500, 1_000]);
  backoff.reset();
  expect(waits(backoff, 2)).toEqual([250, 500]);
});

test('refused credentials wait for minutes whatever the jitter and the limits are, and leave the other waits as they were', () => {
  const least = new Backoff({ ...LIMITS, random: () => 0 });
  expect(waits(new Backoff({ ...LIMITS, random: () => 0 }), 2, 'forbidden')).toEqual([60_000, 120_000]);
  expect(waits(least, 6, 'unauthorized')).toEqual([60_000, 120_000, 240_000, 480_000, 600_000, 600_000]);
  const most = new Backoff({ ...LIMITS, random: () => almostOne });
  expect(waits(most, 1)).toEqual([250]);
  expect(waits(most, 5, 'unauthorized')).toEqual([75_000, 150_000, 300_000, 600_000, 600_000]);
  expect(waits(most, 1)).toEqual([500]);
});
