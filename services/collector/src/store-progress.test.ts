import { expect, test } from 'vitest';
import { committedProgress, positionOf, resumeProgress } from './store-progress.ts';

const progress = { created: 'monday', base: 100, sequence: 40 };

test('the same RESULTS is read on where it was left', () => {
  expect(resumeProgress(progress, { created: 'monday', lastSequence: 40 })).toBe(progress);
  expect(resumeProgress(progress, { created: 'monday', lastSequence: 90 })).toBe(progress);
});

test('what is committed only ascends', () => {
  expect(committedProgress(progress, 41)).toEqual({ ...progress, sequence: 41 });
  expect(committedProgress(progress, 40)).toEqual(progress);
  expect(() => committedProgress(progress, 39)).toThrow(/39 of RESULTS came behind 40/);
});

test('another RESULTS is read from its beginning, with positions above all that were given', () => {
  const next = resumeProgress(progress, { created: 'tuesday', lastSequence: 900 });
  expect(next).toEqual({ created: 'tuesday', base: 140, sequence: 0 });
  expect(positionOf(next, 1)).toBe(positionOf(progress, progress.sequence) + 1);
});

test('RESULTS that lost its end, as in a power cut, counts as another', () => {
  expect(resumeProgress(progress, { created: 'monday', lastSequence: 39 })).toEqual({
    created: 'monday',
    base: 140,
    sequence: 0,
  });
});
