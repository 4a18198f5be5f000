import { expect, it } from 'vitest';
import { shownResults } from './shown-results.ts';

it('counts results and shows some, spread over the run', () => {
  const results = Object.fromEntries(Array.from({ length: 9 }, (_, second) => [`${second}.5`, { mean: second }]));
  expect(shownResults({ lobby: { stats: results } })).toEqual([
    'lobby, stats: 9 results',
    '  at 1.5 s: {"mean":1}',
    '  at 4.5 s: {"mean":4}',
    '  at 7.5 s: {"mean":7}',
  ]);
});

it('puts detections in words', () => {
  const detections = { boxes: [[1.4, 2.6, 30, 40]], scores: [0.987], labels: ['ring'], classIds: [2] };
  expect(shownResults({ lobby: { shapes: { '0': detections } } })[1]).toBe('  at 0 s: ring 0.99 [1 3 30 40]');
});

it('shows the first three of many detections', () => {
  const many = { boxes: [0, 1, 2, 3, 4].map((x) => [x, 0, 9, 9]), scores: [1, 1, 1, 1, 1], labels: [...'abcde'] };
  expect(shownResults({ lobby: { shapes: { '0': many } } })[1]).toBe(
    '  at 0 s: a 1.00 [0 0 9 9], b 1.00 [1 0 9 9], c 1.00 [2 0 9 9] and 2 more',
  );
});

it('says when nothing was found', () => {
  const nothing = { boxes: [], scores: [], labels: [], classIds: [] };
  expect(shownResults({ lobby: { shapes: { '0': nothing } } })[1]).toBe('  at 0 s: nothing');
});
