/** Specs and sources for tests, and arbitrary ones. */

import type { SourceFacts } from '@stream-infer/core/run';
import type { StreamAlgorithm, StreamSpec } from '@stream-infer/core/stream-spec';
import fc from 'fast-check';
import type { Fraction, ModelAlgorithm } from './reference-model.ts';

export const fractionText = ([num, den]: Fraction): string => `${num}/${den}`;

export const algorithm = (given: Partial<StreamAlgorithm> = {}): StreamAlgorithm => ({
  name: 'a',
  definition: 'a',
  frameCount: 1,
  frameStep: 0,
  timeoutMs: 1_000,
  maxInFlight: 8,
  maxAttempts: 3,
  ...(given.intervalFrames === undefined && { interval: '1' }),
  ...given,
});

export const streamSpec = (given: Partial<StreamSpec> = {}): StreamSpec => ({
  id: 'lobby',
  source: 'lobby.mp4',
  mode: 'offline',
  position: '0',
  pixelFormat: 'gray',
  encoding: 'raw',
  videoStream: 0,
  algorithms: [algorithm()],
  ...given,
});

export const sourceFacts = (given: Partial<SourceFacts> = {}): SourceFacts => ({
  width: 4,
  height: 2,
  fps: '30',
  sampling: 'index',
  timeBase: '1/1000',
  live: false,
  codec: 'h264',
  ...given,
});

/** Frames per second, among them those that drift in floating point. */
export const anyFps: fc.Arbitrary<Fraction> = fc.oneof(
  fc.constantFrom<Fraction>([24, 1], [25, 1], [30, 1], [60, 1], [30000, 1001], [24000, 1001], [25, 2], [7, 1], [50, 1]),
  fc
    .tuple(fc.integer({ min: 1, max: 60_000 }), fc.integer({ min: 1, max: 1_001 }))
    .filter(([a, b]) => a / b <= 120 && a / b >= 0.5),
);

export const anyPosition: fc.Arbitrary<Fraction> = fc.oneof(
  fc.constant<Fraction>([0, 1]),
  fc.tuple(fc.integer({ min: 0, max: 3_000 }), fc.constantFrom(1000, 300, 7_000)),
);

/** Algorithms whose intervals are at least one frame at `fps`. */
export const anyAlgorithms = (fps: number): fc.Arbitrary<ModelAlgorithm[]> =>
  fc
    .array(
      fc.record({
        frameCount: fc.integer({ min: 1, max: 6 }),
        frameStep: fc.integer({ min: 0, max: 6 }),
        interval: fc
          .tuple(fc.integer({ min: 1, max: 200 }), fc.constantFrom(10, 100, 30, 7))
          .filter(([a, b]) => (a / b) * fps >= 1.001),
      }),
      { minLength: 1, maxLength: 3 },
    )
    .map((all) => all.map((one, i) => ({ ...one, name: `algorithm${i}` })));

export const specOf = (
  algorithms: readonly ModelAlgorithm[],
  fps: Fraction,
  position: Fraction,
  maxInFlight: number,
): StreamSpec =>
  streamSpec({
    fps: fractionText(fps),
    position: fractionText(position),
    algorithms: algorithms.map(({ name, frameCount, frameStep, interval }) =>
      algorithm({ name, definition: name, frameCount, frameStep, interval: fractionText(interval), maxInFlight }),
    ),
  });
