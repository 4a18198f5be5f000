import fc from 'fast-check';
import { expect, test } from 'vitest';
import { editDistance, nearestKey } from './nearest-key.ts';

test('two letters swapped count once, as a letter added, lost or changed does', () => {
  expect(editDistance('frameCuont', 'frameCount')).toBe(1);
  expect(editDistance('widht', 'width')).toBe(1);
  expect(editDistance('idth', 'width')).toBe(1);
  expect(editDistance('wwidth', 'width')).toBe(1);
  expect(editDistance('wedth', 'width')).toBe(1);
  expect(editDistance('', 'abc')).toBe(3);
  expect(editDistance('kitten', 'sitting')).toBe(3);
});

test('the distance is symmetric, and 0 for equal words alone', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), (a, b) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, b) === 0).toBe(a === b);
    }),
  );
});

test('the nearest known word is named, whatever its case, and none where nothing is near', () => {
  const known = ['frameCount', 'frameStep', 'interval', 'intervalFrames', 'use'];
  expect(nearestKey('framecount', known)).toBe('frameCount');
  expect(nearestKey('intervall', known)).toBe('interval');
  expect(nearestKey('intervalFrame', known)).toBe('intervalFrames');
  expect(nearestKey('uses', known)).toBe('use');
  expect(nearestKey('colour', known)).toBeUndefined();
  expect(nearestKey('x', [])).toBeUndefined();
  expect(nearestKey('CUDA', ['cpu', 'gpu'])).toBe('gpu');
  expect(nearestKey('cuda', known)).toBeUndefined();
});
