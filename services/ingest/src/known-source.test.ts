import type { RunFacts, RunState, SourceFacts } from '@stream-infer/core/run';
import { expect, test } from 'vitest';
import { knownSource } from './known-source.ts';

const source: SourceFacts = {
  width: 64,
  height: 48,
  fps: '25',
  sampling: 'time',
  timeBase: '1/90000',
  live: true,
  codec: 'h264',
  streamIndex: 1,
};
const facts = (of: SourceFacts): RunFacts => ({
  source: of,
  frame: { width: 64, height: 48, pixelFormat: 'gray', encoding: 'raw', bytesPerFrame: 3_072 },
  frames: 'f',
  capacity: 4,
  notices: [],
});

test('what an epoch found of a live source is known in every state that the run goes on from', () => {
  const states: RunState[] = [
    { kind: 'playing', ...facts(source) },
    { kind: 'claimed', source },
    { kind: 'ended', facts: facts(source) },
  ];
  expect(states.map(knownSource)).toEqual([source, source, source]);
});

test('nothing is known of a run that never played, and of a file, which costs nothing to ask', () => {
  const failed: RunState = { kind: 'failed', fault: { code: 'SOURCE_EMPTY', message: '' } };
  const file: RunState = { kind: 'playing', ...facts({ ...source, live: false }) };
  expect([{ kind: 'claimed' } as const, failed, { kind: 'ended' } as const, file].map(knownSource)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test.each([
  { streamIndex: '0 -f null' },
  { streamIndex: -1 },
  { width: 0 },
  { fps: '0' },
  { fps: 'fast' },
  { timeBase: undefined },
  { sampling: 'index' },
])('what others wrote and is not whole is not known: %o', (wrong) => {
  expect(knownSource({ kind: 'claimed', source: { ...source, ...wrong } as SourceFacts })).toBeUndefined();
});
