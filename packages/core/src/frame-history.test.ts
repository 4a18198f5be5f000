import { describe, expect, test } from 'vitest';
import { FrameHistory, type PublishedFrame } from './frame-history.ts';

const history = (sampling: 'index' | 'time', frames: readonly (readonly [n: number, afterLoss?: boolean])[]) => {
  const made = new FrameHistory<PublishedFrame>(sampling);
  frames.forEach(([n, afterLoss = false], i) => {
    made.push({ n, sequence: i + 1 }, afterLoss);
  });
  return made;
};
const frame = (n: number, sequence: number) => ({ kind: 'frame', frame: { n, sequence } });

describe('by time', () => {
  test('a gap is stood for by the nearest older frame, and by nothing before the first', () => {
    const frames = history('time', [[3], [7]]);
    expect(frames.find(5)).toEqual(frame(3, 1));
    expect(frames.find(7)).toEqual(frame(7, 2));
    expect(frames.find(2)).toEqual({ kind: 'none' });
  });

  test('after a loss nothing stands for a slot that may have had a frame', () => {
    const frames = history('time', [[3], [7, true]]);
    expect(frames.find(3)).toEqual(frame(3, 1));
    expect(frames.find(5)).toEqual({ kind: 'lost' });
  });

  test('letting go keeps what may stand for the slot', () => {
    const frames = history('time', [[3], [7], [9]]);
    expect(frames.forgetBefore(8)).toBe(1);
    expect(frames.find(8)).toEqual(frame(7, 2));
    expect(frames.forgetBefore(8)).toBeUndefined();
  });
});

describe('by index', () => {
  test('a number is that frame or lost, never another', () => {
    const frames = history('index', [[3], [7, true]]);
    expect(frames.find(3)).toEqual(frame(3, 1));
    expect(frames.find(5)).toEqual({ kind: 'lost' });
  });

  test('letting go names the newest sequence let go, and holds what is left however long it goes on', () => {
    const frames = history('index', []);
    for (let n = 1; n <= 1_000; n += 1) {
      frames.push({ n, sequence: n }, false);
      expect(frames.forgetBefore(n - 9)).toBe(n > 10 ? n - 10 : undefined);
      expect(frames.size).toBe(Math.min(n, 10));
    }
    expect(frames.find(991)).toEqual(frame(991, 991));
    expect(frames.forgetBefore(Number.POSITIVE_INFINITY)).toBe(1_000);
    expect(frames.size).toBe(0);
  });
});
