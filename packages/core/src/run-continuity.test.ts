import { expect, test } from 'vitest';
import { goesOnUnder } from './run-continuity.ts';
import type { StreamAlgorithm, StreamSpec } from './stream-spec.ts';

const algorithm = (name: string, more: Partial<StreamAlgorithm> = {}): StreamAlgorithm => ({
  name,
  definition: name,
  frameCount: 1,
  frameStep: 0,
  intervalFrames: 5,
  timeoutMs: 1_000,
  maxInFlight: 2,
  maxAttempts: 3,
  ...more,
});
const spec = (more: Partial<StreamSpec> = {}): StreamSpec => ({
  id: 'cam',
  source: 'rtsp://camera/1',
  mode: 'realtime',
  pixelFormat: 'bgr24',
  encoding: 'raw',
  position: '0',
  videoStream: 0,
  algorithms: [algorithm('a')],
  ...more,
});

test.each<Partial<StreamSpec>>([
  { algorithms: [algorithm('a'), algorithm('b')] },
  { algorithms: [algorithm('b')] },
  { algorithms: [algorithm('a', { intervalFrames: 7 })] },
  { algorithms: [algorithm('a', { frameCount: 4, frameStep: 2 })] },
  { buffer: 100 },
])('a run goes on under %o', (more) => {
  expect(goesOnUnder(spec(), spec(more))).toBe(true);
});

test.each<Partial<StreamSpec>>([
  {},
  { source: 'rtsp://camera/2' },
  { fps: '10' },
  { width: 64 },
  { pixelFormat: 'gray' },
  { encoding: 'jpeg' },
  { videoStream: 1 },
  { mode: 'offline' },
  { once: true },
])('a run does not go on under %o', (more) => {
  expect(goesOnUnder(spec(), spec(more))).toBe(false);
});

test('an offline run is one of its configuration', () => {
  const job = spec({ mode: 'offline' });
  expect(goesOnUnder(job, { ...job, algorithms: [algorithm('b')] })).toBe(false);
});
