import { algorithmDefinitionSchema } from '@stream-infer/core/algorithm-definition';
import { expect, test } from 'vitest';
import type { CostCurve } from './cost-curve.ts';
import { type PlanRequest, planDeployment } from './deployment-plan.ts';
import { planText } from './plan-text.ts';
import type { StreamWork } from './stream-work.ts';

const CURVE: CostCurve = {
  machine: 'two cores',
  cores: {
    ingest: { processes: 0.01, publishedFrames: 0.002 },
    ffmpeg: { 'h264 frames': 0.001, 'h264 megapixels': 0.002 },
    'nats-server': { processes: 0.01, publishedMegabytes: 0.001, fetchedMegabytes: 0.001 },
    scheduler: { processes: 0.01, invocations: 0.001 },
    'algo-runner': { processes: 0.01, invocations: 0.001, fetchedMegabytes: 0.002 },
    collector: { processes: 0.01, invocations: 0.0001 },
  },
  memory: {
    ingest: { processes: 100, streams: 2 },
    ffmpeg: { processes: 40, megapixels: 10 },
    'nats-server': { processes: 20, bufferMegabytes: 1.5 },
    scheduler: { processes: 100, lanes: 1 },
    'algo-runner': { processes: 100, instances: 10, models: 50 },
    collector: { processes: 100 },
  },
  measuredUpTo: { streams: 100, busMegabytesPerSecond: 1_000 },
};

const CAMERA: StreamWork = {
  codec: 'h264',
  decodedFrames: 25,
  megapixels: 2,
  publishedFrames: 5,
  frameMegabytes: 1,
  bufferMegabytes: 10,
  lanes: [{ definition: 'faces', invocations: 5, fetchedFrames: { apart: 5, together: 5 }, maxInFlight: 2 }],
};
const FACES = algorithmDefinitionSchema.parse({ name: 'faces', use: 'onnx-detector', expectedMs: 40 });

const plan = (cameras: number, different: Partial<PlanRequest> = {}) =>
  planDeployment({
    curve: CURVE,
    streams: Array<StreamWork>(cameras).fill(CAMERA),
    definitions: [FACES],
    targetUtilization: 0.7,
    streamsPerIngest: 20,
    ...different,
  });
const service = (name: string, ...args: Parameters<typeof plan>) => {
  const found = plan(...args).services.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
};

test('runners are as many as the offered load needs at the target, and cost what their algorithm does besides', () => {
  // 50 × 5 windows a second at 40 ms are 10 instances.
  const runners = service('runner faces', 50);
  expect(runners.pods).toBe(15);
  expect(runners.cores).toBeCloseTo(10 + 15 * 0.01 + 250 * 0.001 + 250 * 0.002);
  expect(runners.memoryMiB).toBeCloseTo(15 * 110);
  expect(service('runner faces', 50, { targetUtilization: 1 }).pods).toBe(10);
  expect(service('runner faces', 50, { definitions: [{ ...FACES, concurrency: 4 }] }).pods).toBe(4);
});

test('an ingest has no more streams than told, nor more than its one thread can feed', () => {
  expect(service('ingest', 50)).toMatchObject({ pods: 3 });
  // 50 × 5 frames at 2 ms keep half a core busy, ffmpeg not counted.
  expect(service('ingest', 50, { streamsPerIngest: 100 }).pods).toBe(1);
  expect(service('ingest', 200, { streamsPerIngest: 1_000 }).pods).toBe(3);
  expect(service('ingest', 50).cores).toBeCloseTo(3 * 0.01 + 250 * 0.002 + 50 * 25 * (0.001 + 2 * 0.002));
});

test('schedulers are as many as keep the thread of each at the target', () => {
  expect(service('scheduler', 50).pods).toBe(1);
  expect(service('scheduler', 500).pods).toBe(4);
});

test('the bus carries each frame in once and out once for each window; its memory holds the buffers', () => {
  const { bus } = plan(50);
  expect(bus).toEqual({ inMegabytesPerSecond: 250, outMegabytesPerSecond: 250, bufferMegabytes: 500 });
  expect(service('nats-server', 50).memoryMiB).toBeCloseTo(20 + 750);
});

test('an algorithm on a GPU has one for each runner, and its model is counted', () => {
  const onGpu = { ...FACES, expectedMs: 4, options: { device: 'gpu', model: 'faces.onnx' } };
  const runners = service('runner faces', 50, { definitions: [onGpu] });
  expect(runners).toMatchObject({ pods: 2, gpus: 2 });
  expect(runners.memoryMiB).toBeCloseTo(2 * 160);
});

test('an algorithm that no stream runs has no runner', () => {
  const other = { ...FACES, name: 'other' };
  expect(plan(1, { definitions: [FACES, other] }).services.map(({ name }) => name)).not.toContain('runner other');
});

test('all is the sum, and what lies beyond what was measured is said', () => {
  const { services, total, notes } = plan(200);
  expect(total.pods).toBe(services.reduce((sum, { pods }) => sum + pods, 0));
  expect(total.cores).toBeCloseTo(services.reduce((sum, { cores }) => sum + cores, 0));
  expect(notes.join()).toContain('measured were up to 100 streams');
  expect(plan(50).notes).toEqual([]);
});

test('a codec that was not measured is refused, with those that were', () => {
  expect(() => plan(1, { streams: [{ ...CAMERA, codec: 'vp9' }] })).toThrow(
    'what decoding vp9 costs was not measured: choose one of h264',
  );
});

test('people read a line for each service, the bus and the notes', () => {
  const text = planText({ ...plan(50), notes: ['a note'] }, 0.7);
  expect(text).toMatch(/^50 cameras, busy for 70 %/);
  expect(text).toMatch(/^runner faces +15 +10\.9 +1\.04 +1\.6 GiB +110 MiB$/m);
  expect(text).toContain('bus: 250 MB/s of frames in, 250 MB/s out; frame buffers reserve 500 MB');
  expect(text).toContain('a note\n');
});
