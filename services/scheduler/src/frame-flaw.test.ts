import type { FrameHeader } from '@stream-infer/bus/frame-headers';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { describe, expect, test } from 'vitest';
import { frameFlaw } from './frame-flaw.ts';
import type { PlayingRun } from './playing-run.ts';

const frame = { width: 4, height: 2, pixelFormat: 'gray', encoding: 'raw', bytesPerFrame: 8 } as const;
const run: PlayingRun = {
  ...{ run: 'r1', stream: 'lobby', epoch: 3, owner: 'ingest', specRevision: 1, startedAtMs: 0 },
  spec: { id: 'lobby' } as StreamSpec,
  state: {
    kind: 'playing',
    source: { ...{ width: 4, height: 2, fps: '30', sampling: 'index', timeBase: '1/30' }, live: false, codec: 'h264' },
    ...{ frame, frames: 'FRAMES_lobby_3', capacity: 9, notices: [] },
  },
};
const header: FrameHeader = {
  ...{ kind: 'frame', run: 'r1', epoch: 3, n: 5, previous: 4, sourceIndex: 4, presentationTimeUs: 0 },
  ...{ capturedAtMs: 0, ageMs: 0, size: { width: 4, height: 2 }, pixelFormat: 'gray', encoding: 'raw' },
  sourceSize: { width: 4, height: 2 },
};
const flawOf = (different: Partial<FrameHeader>, bytes = 8): string | undefined =>
  frameFlaw(run, { sequence: 5, header: { ...header, ...different }, bytes }, 4);

describe('a message of a frame buffer', () => {
  test('is the next frame of the run, gap or not', () => {
    expect(flawOf({})).toBeUndefined();
    expect(flawOf({ n: 9, previous: 8 })).toBeUndefined();
  });

  test.each([
    ['of another run', { run: 'r0' }, /another run/],
    ['of another epoch', { epoch: 2 }, /another epoch/],
    ['that came before', { n: 4, previous: 3 }, /goes back/],
    ['that follows itself', { n: 5, previous: 5 }, /goes back/],
    ['of another size', { size: { width: 400, height: 2 } }, /size or format/],
    ['of another format', { pixelFormat: 'bgr24' }, /size or format/],
    ['of another encoding', { encoding: 'jpeg' }, /size or format/],
  ])('is no frame of it where it is one %s', (_, different, flaw) => {
    expect(flawOf(different)).toMatch(flaw);
  });

  test('is no frame of it with more bytes or fewer than its size has', () => {
    expect(flawOf({}, 7)).toMatch(/bytes/);
    expect(flawOf({}, 0)).toMatch(/bytes/);
  });

  test('is no end of it where frames came that the end does not know of', () => {
    const end = { lastPublished: 3, lastPlayed: 3, decoded: 3, played: 3, published: 3 };
    const marker = { kind: 'end', run: 'r1', epoch: 3, end } as const;
    expect(frameFlaw(run, { sequence: 5, header: marker, bytes: 0 }, 4)).toMatch(/ends the run before/);
    expect(frameFlaw(run, { sequence: 5, header: marker, bytes: 0 }, 3)).toBeUndefined();
  });
});
