import { expect, test } from 'vitest';
import { roundTo, toDetections } from './detections.ts';

const placement = { width: 100, height: 100, left: 0, top: 25, contentWidth: 100, contentHeight: 50 };

test('detections are sorted by score, scaled to the source axis by axis, rounded and named', () => {
  const detections = toDetections(
    [
      { box: [10, 30, 20, 40], score: 0.5, classId: 1 },
      { box: [0, 25, 100.0001, 75], score: 0.912345, classId: 0 },
    ],
    placement,
    { sourceWidth: 200, sourceHeight: 400 },
    ['cat', 'dog'],
  );
  expect(detections).toEqual({
    boxes: [
      [0, 0, 200, 400],
      [20, 40, 40, 120],
    ],
    scores: [0.9123, 0.5],
    labels: ['cat', 'dog'],
    classIds: [0, 1],
  });
});

test('a box that reaches over the border is not clipped', () => {
  const over = [{ box: [-5, 20, 105, 80] as const, score: 1, classId: 0 }];
  const { boxes } = toDetections(over, placement, { sourceWidth: 100, sourceHeight: 50 }, ['x']);
  expect(boxes).toEqual([[-5, -5, 105, 55]]);
});

test('nothing found is four empty lists', () => {
  const none = toDetections([], placement, { sourceWidth: 1, sourceHeight: 1 }, []);
  expect(none).toEqual({ boxes: [], scores: [], labels: [], classIds: [] });
});

test('rounding never makes a negative zero', () => {
  expect(Object.is(roundTo(-0.001, 2), 0)).toBe(true);
  expect(roundTo(1.005, 1)).toBe(1);
  expect(roundTo(-2.344, 2)).toBe(-2.34);
});
