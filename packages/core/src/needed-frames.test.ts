import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isNeededBy, neededFrames, neededShare } from './needed-frames.ts';

const anyLook = fc.record({
  intervalFrames: fc.integer({ min: 1, max: 12 }),
  frameCount: fc.integer({ min: 1, max: 4 }),
  frameStep: fc.integer({ min: 0, max: 4 }),
});

test('the share of frames that is published is what comes of counting them', () => {
  fc.assert(
    fc.property(fc.array(anyLook, { minLength: 1, maxLength: 3 }), (looks) => {
      const needed = neededFrames('index', looks);
      // Every interval up to 12 divides it.
      const slots = 27_720;
      const counted = Array.from({ length: slots }, (_, n) => isNeededBy(needed, n)).filter(Boolean).length;
      expect(neededShare(needed)).toBeCloseTo(counted / slots, 10);
    }),
    { numRuns: 40 },
  );
});

test('of what is due once a day next to nothing is published', () => {
  const day = 24 * 3_600 * 30;
  expect(neededShare(neededFrames('time', [{ intervalFrames: day, frameCount: 1, frameStep: 0 }]))).toBeLessThan(1e-4);
});
