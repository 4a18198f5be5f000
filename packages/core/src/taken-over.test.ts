import { expect, test } from 'vitest';
import { takenOver } from './taken-over.ts';

const totals = (completed: number, replaced: number) => ({
  triggered: completed + replaced,
  completed,
  failed: 0,
  dropped: { replaced },
});

test('what was due when a scheduler was last heard, and is not settled, is lost with it', () => {
  const published = { answeredThrough: 40, totals: totals(4, 2) };
  expect(takenOver(published, { n: 50, due: 10, totals: totals(4, 3) })).toEqual({
    progress: {
      answeredThrough: 50,
      totals: { triggered: 10, completed: 4, failed: 0, dropped: { replaced: 3, 'lost-with-process': 3 } },
    },
    lost: 3,
  });
});

test('a result that is younger than what was heard counts, and nothing is lost twice', () => {
  const published = { answeredThrough: 60, totals: totals(8, 3) };
  expect(takenOver(published, { n: 50, due: 10, totals: totals(4, 3) })).toEqual({
    progress: { answeredThrough: 60, totals: totals(8, 3) },
    lost: 0,
  });
  expect(takenOver({ answeredThrough: 0 }, { n: 5, due: 2, totals: totals(0, 0) }).progress.totals?.triggered).toBe(2);
});
