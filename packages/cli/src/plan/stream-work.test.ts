import { algorithmDefinitionSchema } from '@stream-infer/core/algorithm-definition';
import { plannedBuffer } from '@stream-infer/core/memory-admission';
import { rational } from '@stream-infer/core/rational';
import { resolveStream } from '@stream-infer/core/resolve-streams';
import { type StreamDefinitionInput, streamDefinitionSchema } from '@stream-infer/core/stream-definition';
import { expect, test } from 'vitest';
import { fetchedBy, ffmpegDrivers, runnersOf, type StreamWork, streamWork } from './stream-work.ts';

const CAMERA = { width: 1920, height: 1080, framesPerSecond: rational(25), codec: 'h264' };

const specOf = (stream: Partial<StreamDefinitionInput>, ...algorithms: object[]) => {
  const definitions = algorithms.map((one) => algorithmDefinitionSchema.parse({ use: 'frame-stats', ...one }));
  const input = { id: 'cam', source: 'rtsp://camera', ...stream };
  return resolveStream(streamDefinitionSchema.parse(input), definitions, (path) => path);
};
const workOf = (...args: Parameters<typeof specOf>): StreamWork => streamWork(specOf(...args), CAMERA);

test('only what some window can use is published; everything is decoded', () => {
  const work = workOf({ fps: 10, width: 640 }, { name: 'a', interval: 1 }, { name: 'b', intervalFrames: 4 });
  expect(work.decodedFrames).toBe(25);
  // Of 20 frames the 4th, 8th, 10th, 12th, 16th and 20th.
  expect(work.publishedFrames).toBeCloseTo(3);
  expect(work.frameMegabytes).toBeCloseTo((640 * 360 * 3) / 1e6);
  expect(work.lanes.map(({ invocations }) => invocations)).toEqual([1, 2.5]);
});

test('the buffer is the one that the ingest reserves', () => {
  const stream = { fps: 10, width: 640, height: 360 };
  const buffer = plannedBuffer(specOf(stream, { name: 'a', interval: 1 }));
  const { bufferMegabytes } = workOf(stream, { name: 'a', interval: 1 });
  expect(bufferMegabytes).toBeCloseTo(((buffer?.capacity ?? 0) * (buffer?.bytesPerFrame ?? 0)) / 1e6);
});

test('no camera is played faster than it sends, and without a size at its own', () => {
  const work = workOf({ fps: 50 }, { name: 'a', intervalFrames: 1 });
  expect(work.publishedFrames).toBe(25);
  expect(work.frameMegabytes).toBeCloseTo(6.2208);
});

test('windows that share frames fetch them once where one runner has them all', () => {
  const work = workOf({ fps: 10, width: 100, height: 100 }, { name: 'a', intervalFrames: 2, frameCount: 4 });
  expect(fetchedBy([work, work], 'a', false)).toMatchObject({ invocations: 10, frames: 40 });
  const together = fetchedBy([work, work], 'a', true);
  expect(together).toMatchObject({ invocations: 10, frames: 20 });
  expect(together.megabytes).toBeCloseTo(0.6);
});

test('what comes after another is due with it, and fetches nothing without frames of its own', () => {
  const work = workOf({ fps: 10 }, { name: 'a', intervalFrames: 5 }, { name: 'b', after: 'a', frameCount: 0 });
  expect(fetchedBy([work], 'b', true)).toEqual({ invocations: 2, frames: 0, megabytes: 0 });
});

test('decoding is told by codec', () => {
  const work = workOf({}, { name: 'a', intervalFrames: 25 });
  const { cores } = ffmpegDrivers([work, { ...work, codec: 'hevc' }, work], 1);
  expect(cores).toMatchObject({ 'h264 frames': 50, 'hevc frames': 25 });
  expect(cores['h264 megapixels']).toBeCloseTo(50 * 2.0736);
});

test('a model is in every instance of every runner', () => {
  const definition = algorithmDefinitionSchema.parse({
    name: 'a',
    use: 'onnx',
    concurrency: 2,
    options: { model: 'a.onnx' },
  });
  expect(runnersOf(definition, 3)).toEqual({ processes: 3, instances: 6, models: 6 });
  expect(runnersOf({ ...definition, options: {} }, 3).models).toBe(0);
});
