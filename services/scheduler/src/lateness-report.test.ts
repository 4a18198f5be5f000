import type { Logger } from '@stream-infer/service-kit/logger';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LatenessReport } from './lateness-report.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('late results are one line a second for each stream and algorithm, with how many and how late', () => {
  const warn = vi.fn();
  const report = new LatenessReport({ warn } as unknown as Logger);
  for (let lateMs = 1; lateMs <= 100; lateMs += 1) report.add('gate', 'faces', lateMs);
  report.add('gate', 'plates', 7.4);
  expect(warn).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1_000);
  expect(warn.mock.calls).toEqual([
    [{ stream: 'gate', algorithm: 'faces', results: 100, worstMs: 100 }, 'results are late'],
    [{ stream: 'gate', algorithm: 'plates', results: 1, worstMs: 7 }, 'results are late'],
  ]);
  vi.advanceTimersByTime(5_000);
  expect(warn).toHaveBeenCalledTimes(2);
  report.add('gate', 'faces', 3);
  report.close();
  expect(warn).toHaveBeenLastCalledWith(
    { stream: 'gate', algorithm: 'faces', results: 1, worstMs: 3 },
    'results are late',
  );
});
