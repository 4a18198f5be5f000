import type { Entry } from '@stream-infer/bus/bucket';
import type { Run, RunState } from '@stream-infer/core/run';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { expect, test } from 'vitest';
import { isPlayable, NOBODY } from './run-claim.ts';

const value: StreamSpec = {
  id: 'cam',
  source: 'a.mp4',
  mode: 'offline',
  pixelFormat: 'bgr24',
  encoding: 'raw',
  position: '0',
  videoStream: 0,
  algorithms: [],
};
const spec: Entry<StreamSpec> = { key: 'cam', value, revision: 7 };
const run = (state: RunState, over: Partial<Run> = {}): Entry<Run> => ({
  key: 'cam',
  revision: 12,
  value: {
    run: 'r',
    stream: 'cam',
    epoch: 11,
    owner: 'a',
    spec: value,
    specRevision: 7,
    startedAtMs: 0,
    state,
    ...over,
  },
});
const failed: RunState = { kind: 'failed', fault: { code: 'SOURCE_EMPTY', message: '' } };

test('a stream is played that never was, that changed since, or whose run was left in the middle', () => {
  expect(isPlayable(spec, undefined)).toBe(true);
  expect(isPlayable(spec, run({ kind: 'ended' }, { specRevision: 6 }))).toBe(true);
  expect(isPlayable(spec, run(failed, { specRevision: 6 }))).toBe(true);
  expect(isPlayable(spec, run({ kind: 'claimed' }, { owner: NOBODY }))).toBe(true);
});

test('a revision of a spec that came to its end is not played again', () => {
  expect(isPlayable(spec, run({ kind: 'ended' }))).toBe(false);
  expect(isPlayable(spec, run(failed))).toBe(false);
});
