import type { Entry } from '@stream-infer/bus/bucket';
import type { Run } from '@stream-infer/core/run';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { expect, test } from 'vitest';
import { streamSpec } from '../../../test/model/specs.ts';
import { clearanceOf } from './run-clearance.ts';

const value = streamSpec({ id: 'cam' });
const spec: Entry<StreamSpec> = { key: 'cam', value, revision: 7 };
const replay = { ...spec, value: { ...value, replay: { stream: 'other', run: 'r0', ns: [1] } } };
const facts = {
  source: { width: 1, height: 1, fps: '1', sampling: 'index', timeBase: '1', live: false, codec: 'h264' },
  frame: { width: 1, height: 1, pixelFormat: 'gray', encoding: 'raw', bytesPerFrame: 1 },
  frames: 'f',
  capacity: 1,
  notices: [],
} as const;
const run = (state: Run['state'], owner = 'one'): Run => ({
  run: 'r',
  stream: 'cam',
  epoch: 11,
  owner,
  spec: value,
  specRevision: 7,
  startedAtMs: 0,
  state,
});

test('the run of a stream that is registered stays, whatever became of it', () => {
  for (const state of [{ kind: 'claimed' }, { kind: 'ended' }, { kind: 'playing', ...facts }] as const)
    expect(clearanceOf(run(state, 'dead'), spec, ['one'])).toBe('keep');
});

test('of a stream that is no more a run that is over is removed, and one whose ingest died is ended', () => {
  expect(clearanceOf(run({ kind: 'ended' }), undefined, ['one'])).toBe('remove');
  expect(clearanceOf(run({ kind: 'playing', ...facts }), undefined, ['one'])).toBe('keep');
  expect(clearanceOf(run({ kind: 'playing', ...facts }, 'dead'), undefined, ['one'])).toBe('end');
  expect(clearanceOf(run({ kind: 'claimed' }, ''), undefined, ['one'])).toBe('remove');
});

test('a replay whose run is over goes with its stream', () => {
  expect(clearanceOf(run({ kind: 'playing', ...facts }), replay, ['one'])).toBe('keep');
  expect(clearanceOf(run({ kind: 'ended' }), replay, ['one'])).toBe('remove-replay');
  expect(clearanceOf({ ...run({ kind: 'ended' }), specRevision: 6 }, replay, ['one'])).toBe('keep');
});
