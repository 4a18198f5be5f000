import type { AlgorithmContext, Json } from '@stream-infer/algorithm';
import { describe, expect, test } from 'vitest';
import Onnx from './onnx.ts';
import OnnxDetector from './onnx-detector.ts';

const silent = (): void => undefined;

const context = (options: Readonly<Record<string, Json>>): AlgorithmContext => ({
  name: 'faces',
  options,
  logger: { debug: silent, info: silent, warn: silent, error: silent },
  resolvePath: (path) => `/nowhere/${path}`,
});

const detector = { model: 'm.onnx', family: 'yolov8' };

/** Wrong options are refused before the model is looked for: there is none at /nowhere. */
describe('wrong options of onnx-detector are named with what was given and what is allowed', () => {
  test.for([
    ['no model', { family: 'yunet' }, ['model', 'missing']],
    ['a model that is no path', { ...detector, model: 5 }, ['model', '5', 'text']],
    ['another family', { ...detector, family: 'yolo' }, ['family', '"yolo"', 'ultraface', 'yunet', 'yolox', 'yolov8']],
    ['a threshold above 1', { ...detector, scoreThreshold: 1.5 }, ['scoreThreshold', '1.5', 'at most 1']],
    ['a threshold as text', { ...detector, scoreThreshold: '0.5' }, ['scoreThreshold', '"0.5"', 'a number']],
    ['an unknown option', { ...detector, scoreTreshold: 0.5 }, ['scoreTreshold', 'scoreThreshold']],
    ['an unknown option inside', { ...detector, nms: { iuo: 0.5 } }, ['nms.iuo', 'iou']],
    ['an overlap below 0', { ...detector, nms: { iou: -1 } }, ['nms.iou', '-1', 'at least 0']],
    ['half a thread', { ...detector, threads: 0.5 }, ['threads', '0.5', 'whole number']],
    ['another device', { ...detector, device: 'tpu' }, ['device', '"tpu"', 'cpu', 'gpu']],
    ['a device by another name', { ...detector, device: 'cuda' }, ['device', '"cuda"', 'did you mean gpu?']],
    ['labels of another type', { ...detector, labels: 3 }, ['labels', '3', 'list']],
    ['both kinds of size', { ...detector, inputSize: { longSide: 320, width: 320 } }, ['inputSize', 'longSide alone']],
    ['half a size', { ...detector, inputSize: { width: 320 } }, ['inputSize', 'width and height']],
    ['a label file that is not there', { ...detector, labels: 'l.txt' }, ['labels', '/nowhere/l.txt', 'ENOENT']],
  ] as const)('%s', async ([, options, parts]) => {
    const fault = await new OnnxDetector().init(context(options)).catch((error: unknown) => error);
    expect(fault).toMatchObject({ code: 'ALGORITHM_OPTIONS', message: expect.stringContaining('"faces"') });
    for (const part of parts) expect(fault).toMatchObject({ message: expect.stringContaining(part) });
  });

  test('right ones lead to the model, whose absence is a fault of its own', async () => {
    const options = { ...detector, nms: { iou: 0.5 }, labels: ['a'], inputSize: { longSide: 320 }, threads: 2 };
    await expect(new OnnxDetector().init(context(options))).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
      message: expect.stringContaining('/nowhere/m.onnx'),
    });
  });
});

describe('wrong options of onnx are named with what was given and what is allowed', () => {
  const model = 'm.onnx';
  test.for([
    ['another layout', { model, inputs: [{ layout: 'whcn' }] }, ['inputs[0].layout', '"whcn"', 'nchw']],
    ['an unknown option inside', { model, inputs: [{ chanels: 'rgb' }] }, ['inputs[0].chanels', 'channels']],
    ['half a size', { model, inputs: [{ width: 3 }] }, ['inputs[0]', 'width and height']],
    ['a deviation of 0', { model, inputs: [{ std: [1, 0, 1] }] }, ['inputs[0].std', 'must not be 0']],
    ['no inputs', { model, inputs: [] }, ['inputs', 'at least 1']],
    [
      'too few values',
      { model, constants: [{ name: 'a', type: 'int64', shape: [2], values: [1] }] },
      ['constants[0]', 'as many values'],
    ],
    [
      'half an integer',
      { model, constants: [{ name: 'a', type: 'int64', shape: [1], values: [0.5] }] },
      ['constants[0]', 'whole numbers'],
    ],
    ['no outputs', { model, outputs: [] }, ['outputs', 'at least 1']],
  ] as const)('%s', async ([, options, parts]) => {
    const fault = await new Onnx().init(context(options)).catch((error: unknown) => error);
    expect(fault).toMatchObject({ code: 'ALGORITHM_OPTIONS', message: expect.stringContaining('"faces"') });
    for (const part of parts) expect(fault).toMatchObject({ message: expect.stringContaining(part) });
  });
});
