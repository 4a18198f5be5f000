import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Attempts, type Setback } from './attempts.ts';

/** How often a window is sent where every send ends in the same setback; `limit` where that is for ever. */
function sendsUntilSpent(most: number, setback: (attempts: Attempts) => Setback, limit = 100): number {
  const attempts = new Attempts(most);
  while (!attempts.isSpent && attempts.sent < limit) {
    attempts.send();
    attempts.setback(setback(attempts));
  }
  return attempts.sent;
}

describe('an attempt', () => {
  test('counts where the algorithm failed or its runner died of this window alone', () => {
    expect(sendsUntilSpent(3, () => 'failed')).toBe(3);
    expect(sendsUntilSpent(1, () => 'failed')).toBe(1);
    expect(sendsUntilSpent(3, () => 'lost-alone')).toBe(3);
  });

  test('does not count where the bus failed, ever more slowly', () => {
    const attempts = new Attempts(1);
    const pauses = Array.from({ length: 8 }, () => attempts.setback('bus-failed'));
    expect(pauses).toEqual([100, 200, 400, 800, 1600, 2000, 2000, 2000]);
    expect(attempts.isSpent).toBe(false);
  });

  test('does not count where the runner turns out to live', () => {
    const attempts = new Attempts(1);
    attempts.setback('lost-alone');
    expect(attempts.isSpent).toBe(true);
    attempts.excuse();
    expect(attempts.isSpent).toBe(false);
  });
});

test('a window that was lost in company twice is sent alone, and then each death counts', () => {
  const attempts = new Attempts(3);
  attempts.setback('lost-in-company');
  expect(attempts.mustBeAlone).toBe(false);
  attempts.setback('lost-in-company');
  expect(attempts.mustBeAlone).toBe(true);
  expect(sendsUntilSpent(3, ({ mustBeAlone }) => (mustBeAlone ? 'lost-alone' : 'lost-in-company'))).toBe(5);
});

test('whatever runners do to it, a window is sent a bounded number of times', () => {
  const runnerSetback = fc.constantFrom<Setback>('failed', 'lost-alone', 'lost-in-company', 'not-started');
  fc.assert(
    fc.property(
      fc.array(runnerSetback, { minLength: 30, maxLength: 30 }),
      fc.integer({ min: 1, max: 3 }),
      (all, most) => {
        expect(sendsUntilSpent(most, ({ sent }) => all[sent - 1] ?? 'failed')).toBeLessThanOrEqual(20 + most);
        expect(sendsUntilSpent(most, () => 'not-started')).toBe(20);
      },
    ),
  );
});
