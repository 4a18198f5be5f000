import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keepRegistry } from './registry-upkeep.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Counts the rounds; `fail` makes the next one fail. */
function bucket() {
  const counted = { rounds: 0, fail: false };
  return {
    counted,
    async forgetDeleted() {
      counted.rounds += 1;
      if (counted.fail) throw new Error('no answer');
      return 0;
    },
  };
}

test('a marker, which goes in the second round that meets it, stands for two minutes at most; until it is ended', async () => {
  const [streams, runs] = [bucket(), bucket()];
  const end = keepRegistry({ buckets: [streams, runs], isMine: () => true, onTrouble: () => undefined });
  await vi.advanceTimersByTimeAsync(120_000);
  expect([streams.counted.rounds, runs.counted.rounds]).toEqual([2, 2]);
  end();
  end();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(streams.counted.rounds).toBe(2);
});

test('one process of all does it, and what the bus did not take is told and tried again', async () => {
  const streams = bucket();
  const told: unknown[] = [];
  let isMine = false;
  const end = keepRegistry({ buckets: [streams], isMine: () => isMine, onTrouble: (error) => told.push(error) });
  await vi.advanceTimersByTimeAsync(600_000);
  expect(streams.counted.rounds).toBe(0);
  isMine = true;
  streams.counted.fail = true;
  await vi.advanceTimersByTimeAsync(120_000);
  expect([streams.counted.rounds, told.length]).toEqual([2, 2]);
  end();
});
