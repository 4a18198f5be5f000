import type { Run, RunState } from '@stream-infer/core/run';
import { expect, test } from 'vitest';
import { follow, type RunProgress } from './run-watch.ts';

const change = (run: string, state: RunState): Run => ({ run, stream: 'a', state }) as unknown as Run;
const playing = { kind: 'playing', notices: [] } as unknown as Extract<RunState, { kind: 'playing' }>;

const after = (...changes: Run[]): RunProgress | undefined =>
  changes.reduce<RunProgress | undefined>((before, one) => follow(before, one), undefined);

test('what a run was known to be stays known when it ends', () => {
  expect(after(change('r1', { kind: 'claimed' }), change('r1', playing), change('r1', { kind: 'ended' }))).toEqual({
    run: 'r1',
    playing,
    status: undefined,
    results: 0,
    isOver: true,
    isCut: false,
    fault: undefined,
  });
});

test('a run that fails tells why, and was never played', () => {
  const fault = { code: 'SOURCE_EMPTY', message: 'x' } as const;
  expect(after(change('r1', { kind: 'claimed' }), change('r1', { kind: 'failed', fault }))).toMatchObject({
    playing: undefined,
    isOver: true,
    fault,
  });
});

test('nothing of an earlier run is taken for that of a later one', () => {
  expect(after(change('r1', playing), change('r1', { kind: 'ended' }), change('r2', { kind: 'claimed' }))).toEqual({
    run: 'r2',
    playing: undefined,
    status: undefined,
    results: 0,
    isOver: false,
    isCut: false,
    fault: undefined,
  });
});

test('a run that was ended on demand is over, and has not come to the end of its source', () => {
  expect(after(change('r1', playing), change('r1', { kind: 'ended', removed: true }))).toMatchObject({
    isOver: true,
    isCut: true,
  });
});
