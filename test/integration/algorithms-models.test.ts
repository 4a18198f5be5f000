import { join } from 'node:path';
import type { Device, Json } from '@stream-infer/algorithm';
import { describeModel } from '@stream-infer/algorithms/describe-model';
import { ModelSession } from '@stream-infer/algorithms/model-session';
import Onnx from '@stream-infer/algorithms/onnx';
import OnnxDetector from '@stream-infer/algorithms/onnx-detector';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hasCuda } from '../harness/cuda.ts';
import { grayFrame } from '../harness/gray-frame.ts';
import { modelFolder } from '../harness/model-folder.ts';
import { runContext } from '../harness/run-context.ts';
import { constantModel, tinyOnnx } from '../harness/tiny-onnx.ts';

const folder = modelFolder();

type Options = Readonly<Record<string, Json>>;

async function started(options: Options): Promise<OnnxDetector> {
  const detector = new OnnxDetector();
  await detector.init(runContext(options));
  onTestFinished(() => detector.close());
  return detector;
}

const context = runContext({});

const image = (...shape: (number | string)[]) => ({ name: 'images', shape });

/** A yolov8-style model of three classes over a 64 × 64 input that finds these boxes in everything. */
const yolov8Model = (boxes: readonly (readonly number[])[]): Uint8Array => {
  const rows = [...boxes, ...new Array<number[]>(84 - boxes.length).fill([0, 0, 0, 0, 0, 0, 0])];
  const data = Float32Array.from([0, 1, 2, 3, 4, 5, 6].flatMap((feature) => rows.map((row) => row[feature] ?? 0)));
  return constantModel(image(1, 3, 64, 64), [{ name: 'output0', shape: [1, 7, 84], data }]);
};

describe('a model that cannot be used is a fault that names it', () => {
  test.for([
    ['a file that is not there', null, 'MODEL_NOT_FOUND'],
    ['an empty file', '', 'MODEL_CORRUPT'],
    ['a text file', 'hello world', 'MODEL_CORRUPT'],
    ['the first half of a model', yolov8Model([]).subarray(0, 1000), 'MODEL_CORRUPT'],
    [
      'an operator that does not exist',
      tinyOnnx({
        inputs: [image(1)],
        outputs: [{ name: 'y', shape: [1] }],
        nodes: [{ op: 'Nonsense', inputs: ['images'], outputs: ['y'] }],
      }),
      'MODEL_CORRUPT',
    ],
  ] as const)('%s', async ([what, content, code]) => {
    const path = content === null ? join(folder.path, 'none.onnx') : await folder.write(`${what}.onnx`, content);
    for (const attempt of [
      () => new OnnxDetector().init(runContext({ model: path, family: 'yolox' })),
      () => new Onnx().init(runContext({ model: path })),
      () => describeModel(path),
    ]) {
      const fault = await attempt().then(
        () => null,
        (error: unknown) => error,
      );
      expect(fault).toMatchObject({ code, message: expect.stringContaining(path) });
      expect(String(fault)).not.toContain('onnxruntime_src');
    }
  });

  test('a folder', async () => {
    await expect(describeModel(folder.path)).rejects.toMatchObject({
      code: 'MODEL_CORRUPT',
      message: expect.stringContaining(`${folder.path} is not a file`),
    });
  });

  test('a model of another family', async () => {
    const path = await folder.write('v8.onnx', yolov8Model([]));
    await expect(new OnnxDetector().init(runContext({ model: path, family: 'yolox' }))).rejects.toMatchObject({
      code: 'MODEL_SHAPE',
      message: expect.stringMatching(/v8\.onnx: family yolox reads .* found .*"output0" float32 \[1, 7, 84\]/),
    });
  });

  test.skipIf(hasCuda)('a GPU that is required and cannot be had', async () => {
    const path = await folder.write('v8.onnx', yolov8Model([]));
    const init = new OnnxDetector().init({
      ...runContext({ model: path, family: 'yolov8', device: 'gpu' }),
      requireGpu: true,
    });
    await expect(init).rejects.toMatchObject({
      code: 'GPU_UNAVAILABLE',
      message: expect.stringMatching(/v8\.onnx does not load on the GPU \(.+\): needed are an NVIDIA GPU/),
    });
  });
});

describe('the device of a model', () => {
  /** Where it came to run, and why not elsewhere. */
  async function placed(options: Options, device?: Device): Promise<readonly unknown[]> {
    const detector = new OnnxDetector();
    const path = await folder.write('v8.onnx', yolov8Model([]));
    const told: unknown[] = [];
    await detector.init({
      ...runContext({ model: path, family: 'yolov8', ...options }),
      ...(device && { device }),
      placed: (...placement) => told.push(...placement),
    });
    await detector.close();
    return told;
  }

  test('is the CPU, unless it is said', async () => {
    expect(await placed({})).toEqual(['cpu']);
  });

  test.skipIf(hasCuda)('is the CPU where a GPU is wanted and cannot be had, and the runner is told why', async () => {
    const why = expect.stringContaining('does not load on the GPU');
    expect(await placed({ device: 'gpu' })).toEqual(['cpu', why]);
    expect(await placed({}, 'gpu')).toEqual(['cpu', why]);
  });

  test("is the algorithm's own where the runner's is another", async () => {
    expect(await placed({ device: 'cpu' }, 'gpu')).toEqual(['cpu']);
  });

  test('a model that no device takes is the one to blame, whatever was wanted', async () => {
    const path = await folder.write('corrupt.onnx', new TextEncoder().encode('this is no model'));
    const init = new OnnxDetector().init(runContext({ model: path, family: 'yolov8', device: 'gpu' }));
    await expect(init).rejects.toMatchObject({ code: 'MODEL_CORRUPT' });
  });
});

test('a model is described by its inputs, its outputs and the family that reads them', async () => {
  const path = await folder.write('v8.onnx', yolov8Model([]));
  expect(await describeModel(path)).toEqual({
    inputs: [{ name: 'images', type: 'float32', shape: [1, 3, 64, 64] }],
    outputs: [{ name: 'output0', type: 'float32', shape: [1, 7, 84] }],
    likelyFamily: 'yolov8',
  });
});

describe('onnx-detector on a yolov8-style model', () => {
  const boxes = [
    [32, 32, 16, 16, 0.9, 0, 0],
    [34, 32, 16, 16, 0, 0.8, 0],
    [33, 32, 16, 16, 0.7, 0, 0],
    [10, 32, 4, 4, 0, 0, 0.3],
    [50, 32, 4, 4, 0, 0, 0.2],
  ];
  // 128 × 64 in a 64 × 64 input: half the size, 16 rows of padding above and below.
  const frame = grayFrame(128, 64, new Uint8Array(128 * 64), { width: 1280, height: 320 });

  test('boxes come back through the letterbox, in pixels of the source, suppressed class by class', async () => {
    const model = await folder.write('v8.onnx', yolov8Model(boxes));
    const detector = await started({ model, family: 'yolov8', labels: ['cat', 'dog', 'bird'] });
    expect(await detector.run([frame], context)).toEqual({
      boxes: [
        [480, 80, 800, 240],
        [520, 80, 840, 240],
        [160, 140, 240, 180],
      ],
      scores: [0.9, 0.8, 0.3],
      labels: ['cat', 'dog', 'bird'],
      classIds: [0, 1, 2],
    });
  });

  test('threshold, overlap and class-agnostic suppression are the options’', async () => {
    const model = await folder.write('v8.onnx', yolov8Model(boxes));
    const scores = async (options: Options): Promise<readonly number[]> => {
      const detector = await started({ model, family: 'yolov8', ...options });
      return (await detector.run([frame], context)).scores;
    };
    expect(await scores({ scoreThreshold: 0.1 })).toEqual([0.9, 0.8, 0.3, 0.2]);
    expect(await scores({ nms: { iou: 1 } })).toEqual([0.9, 0.8, 0.7, 0.3]);
    expect(await scores({ nms: { classAgnostic: true } })).toEqual([0.9, 0.3]);
  });

  test('labels come from a file, or are counted, and must be as many as the classes', async () => {
    const model = await folder.write('v8.onnx', yolov8Model(boxes));
    const file = await folder.write('labels.txt', 'cat\ndog\nbird\n');
    const labels = async (options: Options): Promise<readonly string[]> => {
      const detector = await started({ model, family: 'yolov8', ...options });
      return (await detector.run([frame], context)).labels;
    };
    expect(await labels({ labels: file })).toEqual(['cat', 'dog', 'bird']);
    expect(await labels({})).toEqual(['class_0', 'class_1', 'class_2']);
    await expect(labels({ labels: ['cat'] })).rejects.toMatchObject({
      code: 'ALGORITHM_OPTIONS',
      message: expect.stringContaining('labels has 1 entries: it must have 3'),
    });
  });

  test('a size for a model that has its own is refused', async () => {
    const model = await folder.write('v8.onnx', yolov8Model(boxes));
    const init = new OnnxDetector().init(runContext({ model, family: 'yolov8', inputSize: { longSide: 320 } }));
    await expect(init).rejects.toMatchObject({
      code: 'ALGORITHM_OPTIONS',
      message: expect.stringContaining('the model takes 64x64 only'),
    });
  });
});

test('close may be called twice, and before init', async () => {
  const model = await folder.write('v8.onnx', yolov8Model([]));
  const detector = new OnnxDetector();
  await detector.close();
  await detector.init(runContext({ model, family: 'yolov8' }));
  await detector.close();
  await detector.close();
  await expect(detector.run([grayFrame(1, 1, new Uint8Array(1))], context)).rejects.toThrow(/after close/);
});

test('a session releases its model once, and runs nothing after that', async () => {
  const session = await ModelSession.open(await folder.write('v8.onnx', yolov8Model([])), {
    threads: 1,
    device: 'cpu',
  });
  await session.close();
  await session.close();
  await expect(session.run({}, [])).rejects.toMatchObject({ code: 'INTERNAL' });
});
