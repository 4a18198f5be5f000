import type { Frame, Json } from '@stream-infer/algorithm';
import Onnx from '@stream-infer/algorithms/onnx';
import OnnxDetector from '@stream-infer/algorithms/onnx-detector';
import { describe, expect, onTestFinished, test } from 'vitest';
import { grayFrame } from '../harness/gray-frame.ts';
import { modelFolder } from '../harness/model-folder.ts';
import { runContext } from '../harness/run-context.ts';
import { constantModel, tinyOnnx } from '../harness/tiny-onnx.ts';

const folder = modelFolder();

type Dimensions = readonly (number | string)[];

/** Gives back its input and, of each row, the sum. */
const rowSums = (shape: Dimensions, out: Dimensions = ['n', 1, 1, 1]): Uint8Array =>
  tinyOnnx({
    inputs: [{ name: 'x', shape }],
    outputs: [
      { name: 'same', shape },
      { name: 'sum', shape: out },
    ],
    nodes: [
      { op: 'Identity', inputs: ['x'], outputs: ['same'] },
      { op: 'ReduceSum', inputs: ['x', 'axes'], outputs: ['sum'], attributes: { keepdims: 1 } },
    ],
    constants: [{ name: 'axes', shape: [3], data: BigInt64Array.of(1n, 2n, 3n) }],
  });
const gray = (...values: number[]): Frame => grayFrame(2, 1, Uint8Array.from(values));

const context = (options: Readonly<Record<string, Json>>, maxBatch: number) => {
  const stages: string[] = [];
  return { ...runContext(options), maxBatch, stages, spent: (stage: string) => void stages.push(stage) };
};

const refusal = (algorithm: Onnx | OnnxDetector, options: Readonly<Record<string, Json>>): Promise<string> =>
  algorithm.init(context(options, 8)).then(
    () => 'accepted',
    (error: unknown) => String(error),
  );

describe('onnx', () => {
  test('gives each window of a batch what it gets alone, in one run, and tells where the time went', async () => {
    const model = await folder.write('sums.onnx', rowSums(['n', 1, 1, 2]));
    const given = context({ model, inputs: [{ channels: 'gray' }] }, 8);
    const onnx = new Onnx();
    await onnx.init(given);
    onTestFinished(() => onnx.close());
    const windows = [[gray(9, 9), gray(1, 2)], [gray(3, 4)], [gray(5, 6)]];
    const all = await onnx.runBatch(windows);
    expect(given.stages).toEqual(['preprocess', 'infer', 'postprocess']);
    expect(all[1]).toEqual({ same: { dims: [1, 1, 1, 2], data: [3, 4] }, sum: { dims: [1, 1, 1, 1], data: [7] } });
    for (const [at, window] of windows.entries()) expect(await onnx.run(window)).toEqual(all[at]);
  });

  test('puts windows of as many frames into one run', async () => {
    const model = await folder.write('stacked.onnx', rowSums(['n', 'frames', 1, 2]));
    const given = context({ model, inputs: [{ channels: 'gray', stack: 'channels' }] }, 8);
    const onnx = new Onnx();
    await onnx.init(given);
    onTestFinished(() => onnx.close());
    const windows = [[gray(1, 1), gray(2, 2)], [gray(3, 3)], [gray(4, 4), gray(5, 5)]];
    const all = await onnx.runBatch(windows);
    expect(given.stages).toHaveLength(2 * 3);
    expect(all.map(({ sum }) => sum?.data)).toEqual([[6], [6], [18]]);
    expect(all.map(({ same }) => same?.dims)).toEqual([
      [1, 2, 1, 2],
      [1, 1, 1, 2],
      [1, 2, 1, 2],
    ]);
  });

  test('refuses batches where an input or output has no free batch axis, with its shape', async () => {
    const inputs = [{ channels: 'gray' }];
    const fixed = await folder.write('fixed.onnx', rowSums([1, 1, 1, 2], [1, 1, 1, 1]));
    expect(await refusal(new Onnx(), { model: fixed, inputs })).toMatch(
      /BATCH_UNSUPPORTED: algorithm "detector": maxBatch is 8, and model .*fixed\.onnx has input "x" float32 \[1, 1, 1, 2\]/,
    );
    const free = await folder.write('free.onnx', rowSums(['n', 1, 1, 2]));
    expect(await refusal(new Onnx(), { model: free, inputs: [{ channels: 'gray', stack: 'batch' }] })).toMatch(
      /BATCH_UNSUPPORTED: .*input "x"/,
    );
    const output = { name: 'y', shape: [1, 2], data: Float32Array.of(1, 2) };
    const constant = await folder.write('constant.onnx', constantModel({ name: 'x', shape: ['n', 1, 1, 2] }, [output]));
    expect(await refusal(new Onnx(), { model: constant, inputs })).toMatch(
      /BATCH_UNSUPPORTED: .*has output "y" float32 \[1, 2\], whose first axis is no free batch axis/,
    );
  });
});

test('onnx-detector refuses batches of a model whose batch axis is fixed, with its shape', async () => {
  const outputs = [
    { name: 'scores', shape: [1, 4, 2], data: new Float32Array(8) },
    { name: 'boxes', shape: [1, 4, 4], data: new Float32Array(16) },
  ];
  const model = await folder.write('faces.onnx', constantModel({ name: 'input', shape: [1, 3, 48, 64] }, outputs));
  expect(await refusal(new OnnxDetector(), { model, family: 'ultraface' })).toMatch(
    /BATCH_UNSUPPORTED: .*maxBatch is 8, and model .*faces\.onnx has input "input" float32 \[1, 3, 48, 64\], whose batch axis is fixed: set maxBatch: 1/,
  );
});
