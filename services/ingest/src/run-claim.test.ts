import type { Entry } from '@stream-infer/bus/bucket';
import type { Run, RunState } from '@stream-infer/core/run';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { describe, expect, test } from 'vitest';
import { claimable, NOBODY } from './run-claim.ts';

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

describe('a stream can be claimed', () => {
  test('that was never played', () => expect(claimable(spec, undefined)).toEqual({ kind: 'create' }));

  test('that was changed after its run ended, by the revision that was seen', () => {
    const update = { kind: 'update', revision: 12 };
    expect(claimable(spec, run({ kind: 'ended' }, { specRevision: 6 }))).toEqual(update);
    expect(claimable(spec, run(failed, { specRevision: 6 }))).toEqual(update);
  });

  test('that its ingest gave back', () => {
    expect(claimable(spec, run({ kind: 'claimed' }, { owner: NOBODY }))).toEqual({ kind: 'update', revision: 12 });
  });
});

describe('a stream is left alone', () => {
  test('that another plays, changed or not: it ends that run itself', () => {
    expect(claimable(spec, run({ kind: 'claimed' }))).toBeUndefined();
    expect(claimable(spec, run({ kind: 'claimed' }, { specRevision: 6 }))).toBeUndefined();
  });

  test('that has been played: once for each revision of its spec', () => {
    expect(claimable(spec, run({ kind: 'ended' }))).toBeUndefined();
    expect(claimable(spec, run(failed))).toBeUndefined();
  });
});
