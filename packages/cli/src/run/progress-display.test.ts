import type { SourceStatus } from '@stream-infer/bus/announcements';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createScreen } from '../terminal/screen.ts';
import { showProgress } from './progress-display.ts';
import type { RunProgress } from './run-watch.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const specs = [{ id: 'lobby' }] as unknown as StreamSpec[];
const played = (over: Partial<RunProgress>): RunProgress => ({
  ...{ run: 'r', playing: undefined, results: 0, isOver: false, isCut: false, fault: undefined },
  status: { positionSeconds: 20.8, durationSeconds: 30.2, decoded: 208 } as SourceStatus,
  ...over,
});

/** What was written in so long. */
function told(isTTY: boolean, run: RunProgress, forMs: number): string[] {
  const written: string[] = [];
  const screen = createScreen({ isTTY, columns: 120, write: (text) => written.push(text) });
  const stop = showProgress(screen, specs, new Map([['lobby', run]]));
  vi.advanceTimersByTime(forMs);
  stop();
  return written;
}

test('where nobody watches a line comes after a minute, and then more and more seldom', () => {
  expect(told(false, played({}), 59_000)).toEqual([]);
  const lines = told(false, played({}), 3_600_000);
  expect(lines[0]).toMatch(/^lobby {2}0:20 of 0:30 {2}0\.3 × realtime {2}27 s left\n$/);
  // After 1, 2, 4, 8, 16, 26, 36, 46 and 56 minutes.
  expect(lines).toHaveLength(9);
});

test('a run that was interrupted has come as far as it played, one that is over to its end', () => {
  expect(told(true, played({ isOver: true, isCut: true }), 1_000).join('')).toContain(' 0:20 of 0:30 ');
  expect(told(true, played({ isOver: true }), 1_000).join('')).toContain(' 0:30 of 0:30 ');
});

test('a source that is being opened is told to be, until something of it is known', () => {
  const written: string[] = [];
  const screen = createScreen({ isTTY: true, columns: 120, write: (text) => written.push(text) });
  const runs = new Map<string, RunProgress>();
  const stop = showProgress(screen, specs, runs);
  const shownAfter = (ms: number): string => {
    vi.advanceTimersByTime(ms);
    return written.at(-1) ?? '';
  };
  expect(shownAfter(1_500)).toContain('opening lobby …  0:01');
  const opening = { status: { positionSeconds: 0, durationSeconds: null, decoded: 0 } as SourceStatus };
  runs.set('lobby', played(opening));
  expect(shownAfter(3_000)).toContain('opening lobby …  0:04');
  runs.set('lobby', played({ status: { ...opening.status, decoded: 1 } }));
  expect(shownAfter(100)).toMatch(/lobby {2}0:00/);
  expect(written.at(-1)).not.toContain('opening');
  stop();
});
