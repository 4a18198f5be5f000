/** The built-in algorithm `crop-onnx` on models that give back what they are given. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Detections, Json } from '@stream-infer/algorithm';
import CropOnnx from '@stream-infer/algorithms/crop-onnx';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { grayFrame } from '../harness/gray-frame.ts';
import { runContext } from '../harness/run-context.ts';
import { tinyOnnx } from '../harness/tiny-onnx.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-crop-'));
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function echo(name: string, shape: readonly (number | string)[]): Promise<string> {
  const path = join(directory, name);
  const nodes = [{ op: 'Identity', inputs: ['x'], outputs: ['same'] }];
  await writeFile(path, tinyOnnx({ inputs: [{ name: 'x', shape }], outputs: [{ name: 'same', shape }], nodes }));
  return path;
}

type Options = Readonly<Record<string, Json>>;

async function started(options: Options): Promise<CropOnnx> {
  const algorithm = new CropOnnx();
  await algorithm.init(runContext(options, 'faces-of'));
  onTestFinished(() => algorithm.close());
  return algorithm;
}

/** 4 × 4, each pixel its place. */
const frame = grayFrame(
  4,
  4,
  Uint8Array.from({ length: 16 }, (_, at) => at),
);
const found = (...boxes: [number, number, number, number][]): Detections => ({
  boxes,
  scores: boxes.map(() => 1),
  labels: boxes.map(() => 'face'),
  classIds: boxes.map(() => 0),
});
const behind = (faces: Json) => ({ ...runContext({}, 'faces-of'), inputs: { faces } });
const BOXES = found([0, 0, 2, 2], [2, 2, 4, 4], [9, 9, 11, 11], [1, 0, 3, 2]);
const CUTS = [[0, 1, 4, 5], [10, 11, 14, 15], null, [1, 2, 5, 6]];

describe.each([
  ['with a batch axis that is free, in runs of two', ['n', 1, 2, 2], { batchSize: 2 }, 'nchw', [1, 2, 2]],
  ['that takes one picture at a time', [1, 1, 2, 2], {}, 'nchw', [1, 2, 2]],
  ['without a batch axis', [2, 2], {}, 'hw', [2, 2]],
] as const)('a model %s', (_name, shape, more, layout, dims) => {
  test('says of each box what it says of its crop, and nothing of one outside of the frame', async () => {
    const model = await echo('echo.onnx', shape);
    const algorithm = await started({ model, input: { channels: 'gray', layout }, ...more });
    const { outputs, ...detections } = await algorithm.run([frame], behind({ ...BOXES, trackIds: [4, 3, 2, 1] }));
    expect(detections).toEqual({ ...BOXES, trackIds: [4, 3, 2, 1] });
    expect(outputs).toEqual(CUTS.map((data) => data && { same: { dims, data } }));
    expect(await algorithm.run([frame], behind(found()))).toEqual({ ...found(), outputs: [] });
  });
});

test('a margin is added on each side', async () => {
  const algorithm = await started({
    model: await echo('wide.onnx', ['n', 1, 4, 4]),
    input: { channels: 'gray' },
    margin: 0.5,
  });
  const { outputs } = await algorithm.run([frame], behind(found([1, 1, 3, 3])));
  expect(outputs[0]?.same?.data).toEqual([...frame.data]);
});

test('what cannot be is refused with what to do', async () => {
  const refused = (options: Options): Promise<string> =>
    new CropOnnx().init(runContext(options, 'faces-of')).then(() => 'accepted', String);
  const model = await echo('four.onnx', [4, 1, 2, 2]);
  expect(await refused({ model, input: { channels: 'gray' } })).toMatch(/MODEL_SHAPE: .* takes 4 pictures at once/);
  const free = await echo('free.onnx', ['n', 1, 2, 2]);
  expect(await refused({ model: free, input: { channels: 'gray', stack: 'time' } })).toMatch(
    /ALGORITHM_OPTIONS: .*input.stack.*must be left out/,
  );
  expect(await refused({ model: free, input: { channels: 'gray', name: 'z' } })).toMatch(/: input.name is "z": .* "x"/);
  const algorithm = await started({ model: free, input: { channels: 'gray' } });
  await expect(algorithm.run([], behind(BOXES))).rejects.toThrow(/faces-of.*has no frame.*frameCount of at least 1/);
  await expect(algorithm.run([frame], behind({ mean: 1 }))).rejects.toThrow(/algorithm "faces" has no boxes/);
});
