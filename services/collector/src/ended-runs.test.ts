import { expect, test } from 'vitest';
import { EndedRuns } from './ended-runs.ts';

const yard = { stream: 'yard', run: 'r1' };
const lobby = { stream: 'lobby', run: 'r1' };

test('what stands of a run goes once the registry has had none of its stream for a while', () => {
  const runs = new EndedRuns(1_000);
  const registered = new Set(['yard', 'lobby']);
  const due = (nowMs: number) => runs.due((stream) => registered.has(stream), nowMs);
  runs.ended(yard);
  runs.ended(lobby);
  expect(due(5_000)).toEqual([]);
  registered.delete('yard');
  expect(due(6_000)).toEqual([]);
  // It is told of again, as by a reader that begins anew.
  runs.ended(yard);
  expect(due(6_999)).toEqual([]);
  expect(due(7_000)).toEqual([yard]);
  // Not before it is removed.
  expect(due(7_001)).toEqual([yard]);
  runs.removed(yard);
  expect(due(9_000)).toEqual([]);
});

test('those that cannot go yet are behind the others', () => {
  const runs = new EndedRuns(0);
  runs.ended(yard);
  runs.ended(lobby);
  runs.delayed(yard);
  expect(runs.due(() => false, 0)).toEqual([lobby, yard]);
});

test('a stream that the registry has a run of after all is waited for anew', () => {
  const runs = new EndedRuns(1_000);
  runs.ended(yard);
  expect(runs.due(() => false, 0)).toEqual([]);
  expect(runs.due(() => true, 999)).toEqual([]);
  expect(runs.due(() => false, 1_500)).toEqual([]);
  expect(runs.due(() => false, 2_500)).toEqual([yard]);
  runs.clear();
  expect(runs.due(() => false, 9_000)).toEqual([]);
});
