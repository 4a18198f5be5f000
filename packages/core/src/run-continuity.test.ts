import { expect, test } from 'vitest';
import { algorithm, streamSpec } from '../../../test/model/specs.ts';
import { goesOnUnder } from './run-continuity.ts';
import type { StreamAlgorithm, StreamSpec } from './stream-spec.ts';

const named = (name: string, more: Partial<StreamAlgorithm> = {}): StreamAlgorithm =>
  algorithm({ name, definition: name, intervalFrames: 5, ...more });
const spec = (more: Partial<StreamSpec> = {}): StreamSpec =>
  streamSpec({ source: 'rtsp://camera/1', mode: 'realtime', algorithms: [named('a')], ...more });

test.each<Partial<StreamSpec>>([
  { algorithms: [named('a'), named('b')] },
  { algorithms: [named('b')] },
  { algorithms: [named('a', { intervalFrames: 7 })] },
  { algorithms: [named('a', { frameCount: 4, frameStep: 2 })] },
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
  expect(goesOnUnder(job, { ...job, algorithms: [named('b')] })).toBe(false);
});
