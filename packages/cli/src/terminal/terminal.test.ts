import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { formatDuration, formatPosition } from './duration.ts';
import { progressLine } from './progress-line.ts';
import { repeatedLines } from './repeated-lines.ts';
import { createScreen } from './screen.ts';
import { formatTable } from './table.ts';

test('durations and positions are short and never show 60 seconds', () => {
  expect([0, 0.44, 9.94, 9.96, 59.4, 59.6, 125, 3599.7, 3725].map(formatDuration)).toEqual([
    ...['0.0 s', '0.4 s', '9.9 s', '10 s', '59 s', '1 min 00 s', '2 min 05 s', '1 h 00 min', '1 h 02 min'],
  ]);
  expect([0, 7.9, 754, 3723].map(formatPosition)).toEqual(['0:00', '0:07', '12:34', '1:02:03']);
});

describe('the progress line', () => {
  const options = { label: 'lobby', elapsedSeconds: 2, width: 120 };
  test('tells position, length, rate and remaining time', () => {
    const line = progressLine([{ positionSeconds: 10, durationSeconds: 30, isOver: false }], options);
    expect(line).toBe('lobby  ██████████░░░░░░░░░░░░░░░░░░░░  0:10 of 0:30  5.0 × realtime  4.0 s left');
  });

  test('adds several sources up, and says how many are done', () => {
    const line = progressLine(
      [
        { positionSeconds: 10, durationSeconds: 10, isOver: true },
        { positionSeconds: 0, durationSeconds: 30, isOver: false },
      ],
      { ...options, label: '2 streams' },
    );
    expect(line).toMatch(/^2 streams, 1 done {2}█+░+ {2}0:10 of 0:40 /);
  });

  test('has no bar and no remaining time where the length is not known', () => {
    const line = progressLine([{ positionSeconds: 61, durationSeconds: null, isOver: false }], {
      ...options,
      elapsedSeconds: 61,
    });
    expect(line).toBe('lobby  1:01  1.0 × realtime');
  });

  test('of a camera tells its state and the results so far, and no speed', () => {
    const camera = { positionSeconds: 50, durationSeconds: null, isOver: false, results: 35, camera: 'reconnecting' };
    const minute = { ...options, elapsedSeconds: 61 };
    expect(progressLine([camera], { ...minute, label: 'gate' })).toBe('gate  reconnecting  1:01  35 results');
    const file = { positionSeconds: 10, durationSeconds: 10, isOver: true, results: 1 };
    expect(progressLine([camera, { ...camera, camera: 'playing' }, camera, file], minute)).toBe(
      'lobby, 1 done  2 reconnecting, 1 playing  1:01  106 results',
    );
  });

  test('that is to stay is whole, and has no bar', () => {
    const line = progressLine([{ positionSeconds: 10, durationSeconds: 30, isOver: false }], {
      ...options,
      width: undefined,
    });
    expect(line).toBe('lobby  0:10 of 0:30  5.0 × realtime  4.0 s left');
  });

  test('never reaches the last column, and drops the bar before the figures', () => {
    for (let width = 1; width < 100; width += 1) {
      const line = progressLine([{ positionSeconds: 10, durationSeconds: 30, isOver: false }], { ...options, width });
      expect(line.length).toBeLessThan(width);
      if (width > 62) expect(line).toContain('left');
    }
  });
});

describe('the screen', () => {
  const record = (isTTY: boolean) => {
    const written: string[] = [];
    return { written, screen: createScreen({ isTTY, write: (text) => written.push(text) }) };
  };

  test('prints lines above the progress on a terminal', () => {
    const { written, screen } = record(true);
    screen.progress('50 %');
    screen.line('NOTE: x');
    screen.clear();
    screen.clear();
    expect(written.join('')).toBe('\r\u001b[K50 %\r\u001b[KNOTE: x\n\r\u001b[K50 %\r\u001b[K');
  });

  test('shows lines alone where it is no terminal, and never credentials (I8)', () => {
    const { written, screen } = record(false);
    screen.progress('50 %');
    screen.line('rtsp://me:secret@camera/1 is gone');
    expect(written).toEqual(['rtsp://***@camera/1 is gone\n']);
  });
});

describe('a line that comes again and again', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const record = () => {
    const lines: string[] = [];
    return { lines, ...repeatedLines((line) => lines.push(line)) };
  };

  test('is shown three times, then counted, each kind for itself', () => {
    const { lines, show, flush } = record();
    for (let i = 0; i < 10; i += 1) show('A', `A: ${i}`);
    show('B', 'B: 1');
    flush();
    flush();
    expect(lines).toEqual(['A: 0', 'A: 1', 'A: 2', 'B: 1', 'A: 7 more of these']);
  });

  test('is told of within seconds, and shown again after a pause', () => {
    const { lines, show, flush } = record();
    for (let i = 0; i < 5; i += 1) show('A', `A: ${i}`);
    vi.advanceTimersByTime(10_000);
    expect(lines.splice(0)).toEqual(['A: 0', 'A: 1', 'A: 2', 'A: 2 more of these']);
    vi.advanceTimersByTime(60_000);
    for (let i = 5; i < 8; i += 1) show('A', `A: ${i}`);
    vi.advanceTimersByTime(10_000);
    flush();
    expect(lines).toEqual(['A: 5', 'A: 6', 'A: 7']);
  });

  test('and never stops is told of more and more seldom', () => {
    const { lines, show, flush } = record();
    for (let second = 0; second < 3_600; second += 1) {
      show('A', 'A');
      vi.advanceTimersByTime(1_000);
    }
    flush();
    // Six periods of 10, 20 … 320 s and five of 600 s, four lines each.
    expect(lines).toHaveLength(44);
    const told = lines.map((line) => Number(/^A: (\d+) more/.exec(line)?.[1] ?? 1));
    expect(told.reduce((sum, count) => sum + count)).toBe(3_600);
  });
});

test('a table aligns names to the left and figures to the right', () => {
  expect(
    formatTable(
      ['name', 'n'],
      [
        ['a', '100'],
        ['long name', '5'],
      ],
      1,
    ),
  ).toBe('name         n\na          100\nlong name    5');
});
