import type { Frame, Json } from '@stream-infer/algorithm';
import Onnx from '@stream-infer/algorithms/onnx';
import { expect, onTestFinished, test } from 'vitest';
import { grayFrame } from '../harness/gray-frame.ts';
import { modelFolder } from '../harness/model-folder.ts';
import { runContext } from '../harness/run-context.ts';
import { tinyOnnx } from '../harness/tiny-onnx.ts';

const folder = modelFolder();

type Options = Readonly<Record<string, Json>>;

async function started(options: Options): Promise<Onnx> {
  const onnx = new Onnx();
  await onnx.init(runContext(options));
  onTestFinished(() => onnx.close());
  return onnx;
}

/** Gives back what it is given, and the sum of it. */
const echo = (shape: readonly (number | string)[], type: 'float32' | 'uint8' = 'float32'): Uint8Array =>
  tinyOnnx({
    inputs: [{ name: 'x', type, shape }],
    outputs: [
      { name: 'same', type, shape },
      { name: 'sum', shape: [] },
    ],
    nodes: [
      { op: 'Identity', inputs: ['x'], outputs: ['same'] },
      { op: 'Cast', inputs: ['x'], outputs: ['floats'], attributes: { to: 1 } },
      { op: 'ReduceSum', inputs: ['floats'], outputs: ['sum'], attributes: { keepdims: 0 } },
    ],
  });
const bytes = (...values: number[]): Frame => grayFrame(2, values.length / 2, Uint8Array.from(values));

test('hands out all outputs by name, of the picture as its input is declared', async () => {
  const model = await folder.write('echo.onnx', echo([1, 2, 2, 3]));
  const inputs = [{ layout: 'nhwc', scale: 0.5, mean: [1, 2, 3] }];
  const onnx = await started({ model, inputs });
  expect(await onnx.run([bytes(10, 20, 30, 40)])).toEqual({
    same: { dims: [1, 2, 2, 3], data: [4, 3, 2, 9, 8, 7, 14, 13, 12, 19, 18, 17] },
    sum: { dims: [], data: [126] },
  });
});

test('hands out only the outputs asked for, and bytes as bytes', async () => {
  const model = await folder.write('bytes.onnx', echo(['n', 1, 'h', 'w'], 'uint8'));
  const inputs = [{ channels: 'gray', width: 2, height: 1 }];
  const onnx = await started({ model, inputs, outputs: ['same'] });
  expect(await onnx.run([bytes(10, 20, 30, 40)])).toEqual({ same: { dims: [1, 1, 1, 2], data: [20, 30] } });
});

test.for([
  ['newest', 'nchw', [1, 1, 1, 2], [3, 4]],
  ['channels', 'nchw', [1, 2, 1, 2], [1, 2, 3, 4]],
  ['channels', 'nhwc', [1, 1, 2, 2], [1, 3, 2, 4]],
  ['batch', 'nchw', [2, 1, 1, 2], [1, 2, 3, 4]],
  ['time', 'nthwc', [1, 2, 1, 2, 1], [1, 2, 3, 4]],
] as const)('stacks a window by %s, layout %s', async ([stack, layout, shape, data]) => {
  const model = await folder.write('stack.onnx', echo(shape));
  const onnx = await started({ model, inputs: [{ layout, stack, channels: 'gray' }], outputs: ['same'] });
  const result = await onnx.run([bytes(1, 2), bytes(3, 4)]);
  expect(result).toEqual({ same: { dims: shape, data } });
});

test('a window of another length than the model takes is refused with what to do', async () => {
  const model = await folder.write('four.onnx', echo([1, 4, 1, 2]));
  const onnx = await started({ model, inputs: [{ channels: 'gray', stack: 'channels' }] });
  await expect(onnx.run([bytes(1, 2)])).rejects.toMatchObject({
    code: 'ALGORITHM_FAILED',
    message: expect.stringMatching(/takes 4 frames, the window has 1; set frameCount: 4/),
  });
});

test('inputs that are not pictures are constants', async () => {
  const model = await folder.write(
    'two.onnx',
    tinyOnnx({
      inputs: [
        { name: 'x', shape: [1, 1, 1, 2] },
        { name: 'factor', shape: [1] },
      ],
      outputs: [{ name: 'y', shape: [1, 1, 1, 2] }],
      nodes: [{ op: 'Mul', inputs: ['x', 'factor'], outputs: ['y'] }],
    }),
  );
  const factor = { name: 'factor', type: 'float32', shape: [1], values: [1.5] };
  const onnx = await started({ model, inputs: [{ channels: 'gray' }], constants: [factor] });
  expect(await onnx.run([bytes(2, 4)])).toEqual({ y: { dims: [1, 1, 1, 2], data: [3, 6] } });

  const refused = async (options: Options): Promise<string> =>
    new Onnx().init(runContext({ model, ...options })).then(
      () => 'accepted',
      (error: unknown) => String(error),
    );
  const gray = { name: 'x', channels: 'gray' };
  expect(await refused({ inputs: [gray] })).toMatch(/ALGORITHM_OPTIONS: .*leave out "factor"/);
  expect(await refused({ inputs: [{ channels: 'gray' }] })).toMatch(/inputs\[0\]\.name is missing.*"x", "factor"/);
  expect(await refused({ inputs: [gray, gray], constants: [factor] })).toMatch(/inputs\[1\]\.name is "x"/);
  expect(await refused({ inputs: [gray], constants: [{ ...factor, name: 'z' }] })).toMatch(
    /constants\[0\]\.name is "z"/,
  );
  expect(await refused({ inputs: [gray], constants: [{ ...factor, type: 'int64', values: [1] }] })).toMatch(
    /type is "int64": .* float32/,
  );
  expect(await refused({ inputs: [gray], constants: [factor], outputs: ['z'] })).toMatch(/outputs\[0\] is "z": .* "y"/);
});

test('a run that fails in the model is an error, and the next one is none', async () => {
  const model = await folder.write(
    'divide.onnx',
    tinyOnnx({
      inputs: [{ name: 'x', shape: ['n', 1, 1, 2] }],
      outputs: [{ name: 'y', shape: [1, 2] }],
      nodes: [{ op: 'Reshape', inputs: ['x', 'shape'], outputs: ['y'] }],
      constants: [{ name: 'shape', shape: [2], data: BigInt64Array.of(1n, 2n) }],
    }),
  );
  const onnx = await started({ model, inputs: [{ channels: 'gray', stack: 'batch' }] });
  await expect(onnx.run([bytes(1, 2), bytes(3, 4)])).rejects.toThrow(/Reshape/);
  expect(await onnx.run([bytes(1, 2)])).toEqual({ y: { dims: [1, 2], data: [1, 2] } });
});

test('outputs that could never be a result are refused before anything runs', async () => {
  const model = await folder.write('large.onnx', echo([1, 3, 1000, 1000]));
  await expect(new Onnx().init(runContext({ model }))).rejects.toMatchObject({
    code: 'RESULT_TOO_LARGE',
    message: expect.stringContaining('"same"'),
  });
  await started({ model, outputs: ['sum'] });
});
