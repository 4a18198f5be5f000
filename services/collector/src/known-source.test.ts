import type { Run, RunState } from '@stream-infer/core/run';
import { expect, test } from 'vitest';
import { algorithm, sourceFacts, streamSpec } from '../../../test/model/specs.ts';
import { refuseUnplayable } from './known-source.ts';

const CAMERA = streamSpec({ source: 'rtsp://camera/1', mode: 'realtime' });
const SHORT = { ...CAMERA, algorithms: [algorithm({ interval: '1/100' })] };
const source = sourceFacts({ fps: '10', live: true, sampling: 'time' });

const runIn = (state: RunState, spec = CAMERA): Run => ({
  ...{ run: 'r1', stream: 'lobby', epoch: 1, owner: 'ingest-1', spec, specRevision: 1, startedAtMs: 0, state },
});
const claimed = (spec = CAMERA): Run => runIn({ kind: 'claimed', source }, spec);
const tooShort = expect.objectContaining({
  code: 'INTERVAL_TOO_SHORT',
  message: expect.stringContaining('shorter than one played frame at 10 fps'),
});

test('what could not be played from a live source that plays is refused, and what could is not', () => {
  expect(() => refuseUnplayable(SHORT, claimed())).toThrow(tooShort);
  const frame = { width: 4, height: 2, pixelFormat: 'gray', encoding: 'raw', bytesPerFrame: 8 } as const;
  const playing = runIn({ kind: 'playing', source, frame, frames: 'F', capacity: 4, notices: [] });
  expect(() => refuseUnplayable(SHORT, playing)).toThrow(tooShort);
  expect(() => refuseUnplayable({ ...CAMERA, algorithms: [algorithm({ interval: '1/10' })] }, playing)).not.toThrow();
});

test('nothing is, where the source is another, a file, one that failed, not known, or asked anew', () => {
  const runs = [
    undefined,
    runIn({ kind: 'claimed' }),
    runIn({ kind: 'failed', fault: { code: 'INTERVAL_TOO_SHORT', message: 'too short' } }),
    claimed({ ...CAMERA, source: 'rtsp://camera/2' }),
    claimed({ ...CAMERA, videoStream: 1 }),
    runIn({ kind: 'claimed', source: { ...source, live: false } }),
  ];
  for (const run of runs) expect(() => refuseUnplayable(SHORT, run)).not.toThrow();
  // Another rate is another run, for which the source is asked how many frames it sends now.
  expect(() => refuseUnplayable({ ...SHORT, fps: '100' }, claimed())).not.toThrow();
});
