import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Box, Candidate } from './detections.ts';
import { intersectionOverUnion, suppressOverlaps } from './nms.ts';

const candidate = (box: Box, score: number, classId = 0): Candidate => ({ box, score, classId });

const anyBox = fc
  .tuple(fc.nat(30), fc.nat(30), fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }))
  .map(([x, y, width, height]): Box => [x, y, x + width, y + height]);
const anyCandidate = fc.record({ box: anyBox, score: fc.float({ min: 0, max: 1, noNaN: true }), classId: fc.nat(2) });

describe('intersection over union', () => {
  test('is shared area over joint area', () => {
    expect(intersectionOverUnion([0, 0, 2, 2], [1, 0, 3, 2])).toBeCloseTo(1 / 3);
    expect(intersectionOverUnion([0, 0, 2, 2], [0, 0, 2, 2])).toBe(1);
  });

  test('is 0 for boxes that only touch, and for boxes without area', () => {
    expect(intersectionOverUnion([0, 0, 2, 2], [2, 0, 4, 2])).toBe(0);
    expect(intersectionOverUnion([1, 1, 1, 1], [1, 1, 1, 1])).toBe(0);
  });
});

describe('suppression', () => {
  test('keeps the best of boxes that overlap by more than the limit', () => {
    const best = candidate([0, 0, 10, 10], 0.9);
    const close = candidate([1, 0, 11, 10], 0.8);
    const far = candidate([20, 0, 30, 10], 0.7);
    expect(suppressOverlaps([far, close, best], { iou: 0.5, classAgnostic: true })).toEqual([best, far]);
    expect(suppressOverlaps([far, close, best], { iou: 0.9, classAgnostic: true })).toEqual([best, close, far]);
  });

  test('lets a box that was suppressed suppress nothing', () => {
    const chain = [candidate([0, 0, 10, 10], 0.9), candidate([4, 0, 14, 10], 0.8), candidate([8, 0, 18, 10], 0.7)];
    expect(suppressOverlaps(chain, { iou: 0.4, classAgnostic: true })).toEqual([chain[0], chain[2]]);
  });

  test('keeps boxes of different classes apart unless told otherwise', () => {
    const both = [candidate([0, 0, 10, 10], 0.9, 0), candidate([0, 0, 10, 10], 0.8, 1)];
    expect(suppressOverlaps(both, { iou: 0.5, classAgnostic: false })).toEqual(both);
    expect(suppressOverlaps(both, { iou: 0.5, classAgnostic: true })).toEqual([both[0]]);
  });

  test('leaves no two that overlap, and drops none without a better one over it', () => {
    const options = fc.record({ iou: fc.double({ min: 0, max: 1, noNaN: true }), classAgnostic: fc.boolean() });
    fc.assert(
      fc.property(fc.array(anyCandidate, { maxLength: 20 }), options, (candidates, { iou, classAgnostic }) => {
        const kept = suppressOverlaps(candidates, { iou, classAgnostic });
        const rivals = (first: Candidate, second: Candidate): boolean =>
          (classAgnostic || first.classId === second.classId) && intersectionOverUnion(first.box, second.box) > iou;
        for (const one of candidates) {
          const better = kept.filter((other) => other !== one && other.score >= one.score && rivals(other, one));
          if (!kept.includes(one)) expect(better).not.toEqual([]);
        }
        for (const [at, one] of kept.entries()) {
          expect(kept.slice(at + 1).some((other) => rivals(one, other))).toBe(false);
        }
        expect(kept.map(({ score }) => score)).toEqual(kept.map(({ score }) => score).toSorted((a, b) => b - a));
      }),
    );
  });
});
