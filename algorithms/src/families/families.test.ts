import { Fault } from '@stream-infer/core/fault';
import { describe, expect, test } from 'vitest';
import { likelyFamily } from '../describe-model.ts';
import type { ModelSignature, TensorInfo } from '../model-session.ts';
import { cellCount } from './detection-grid.ts';
import { FAMILIES, FAMILY_NAMES, type FamilyName } from './families.ts';
import type { Output, Outputs } from './family.ts';

type Shape = readonly (number | string)[];

const tensor = (name: string, shape: Shape, type = 'float32'): TensorInfo => ({ name, type, shape });
const signature = (inputs: readonly TensorInfo[], outputs: readonly TensorInfo[]): ModelSignature => ({
  path: '/models/any.onnx',
  inputs,
  outputs,
});

const image = (...shape: Shape): TensorInfo => tensor('images', shape);

/** The three outputs of YuNet per stride, for an input of this size. */
const yunetOutputs = (batch: number | string, cells: (stride: number) => number | string): TensorInfo[] =>
  [8, 16, 32].flatMap((stride) => [
    tensor(`cls_${stride}`, [batch, cells(stride), 1]),
    tensor(`obj_${stride}`, [batch, cells(stride), 1]),
    tensor(`bbox_${stride}`, [batch, cells(stride), 4]),
    tensor(`kps_${stride}`, [batch, cells(stride), 10]),
  ]);

const SIGNATURES = {
  ultraface: signature([image(1, 3, 240, 320)], [tensor('scores', [1, 4420, 2]), tensor('boxes', [1, 4420, 4])]),
  yunet: signature(
    [image('batch', 3, 'height', 'width')],
    yunetOutputs('batch', () => 'cells'),
  ),
  yolox: signature([image(1, 3, 416, 416)], [tensor('output', [1, 3549, 85])]),
  yolov8: signature([image(1, 3, 640, 640)], [tensor('output0', [1, 84, 8400])]),
} as const satisfies Record<FamilyName, ModelSignature>;

const outputs = (values: Readonly<Record<string, { dims: number[]; data: readonly number[] }>>): Outputs => ({
  get(name): Output {
    const value = values[name];
    if (value === undefined) throw new Error(`no output ${name}`);
    return { dims: value.dims, data: Float32Array.from(value.data) };
  },
});

function faultOf(action: () => unknown): Fault {
  try {
    action();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error('no fault');
}

describe('a family and a model', () => {
  test.for(FAMILY_NAMES)('%s reads its own model and refuses those of the others, naming both shapes', (name) => {
    expect(FAMILIES[name].check(SIGNATURES[name], null).input.name).toBe('images');
    for (const other of FAMILY_NAMES.filter((candidate) => candidate !== name)) {
      const fault = faultOf(() => FAMILIES[name].check(SIGNATURES[other], null));
      expect(fault.code).toBe('MODEL_SHAPE');
      expect(fault.message).toContain(`/models/any.onnx: family ${name} reads one input float32`);
      for (const { name: output, shape } of SIGNATURES[other].outputs) {
        expect(fault.message).toContain(`output "${output}" float32 [${shape.join(', ')}]`);
      }
    }
  });

  test.for(FAMILY_NAMES)('%s is told by its shapes alone', (name) => {
    expect(likelyFamily(SIGNATURES[name])).toBe(name);
  });

  test('a model of no family is told to be of none', () => {
    expect(likelyFamily(signature([image(1, 3, 224, 224)], [tensor('logits', [1, 1000])]))).toBeNull();
  });

  test.for([
    ['two inputs', [image(1, 3, 416, 416), tensor('extra', [1])]],
    ['an input of bytes', [tensor('images', [1, 3, 416, 416], 'uint8')]],
    ['an input with its channels last', [image(1, 416, 416, 3)]],
    ['a fixed batch of four', [image(4, 3, 416, 416)]],
    ['a fixed height and a free width', [image(1, 3, 416, 'width')]],
  ] as const)('%s is refused', ([, inputs]) => {
    expect(faultOf(() => FAMILIES.yolox.check(signature(inputs, SIGNATURES.yolox.outputs), null)).code).toBe(
      'MODEL_SHAPE',
    );
  });

  test('a model of a fixed size whose cells are those of another size is refused', () => {
    const yolox = signature([image(1, 3, 640, 640)], [tensor('output', [1, 3549, 85])]);
    const yunet = signature(
      [image(1, 3, 320, 320)],
      yunetOutputs(1, () => 99),
    );
    expect(faultOf(() => FAMILIES.yolox.check(yolox, null)).code).toBe('MODEL_SHAPE');
    expect(faultOf(() => FAMILIES.yunet.check(yunet, null)).code).toBe('MODEL_SHAPE');
  });

  test('a free input size is taken, but not by ultraface, whose boxes are made for one', () => {
    const free = image('n', 3, 'h', 'w');
    expect(FAMILIES.yolox.check(signature([free], [tensor('output', ['n', 'cells', 7])]), null)).toMatchObject({
      input: { size: null, batched: true },
      classCount: 2,
    });
    expect(faultOf(() => FAMILIES.ultraface.check(signature([free], SIGNATURES.ultraface.outputs), null)).code).toBe(
      'MODEL_SHAPE',
    );
  });

  test('a free size whose cells turn out to be others is refused when it runs', () => {
    const model = FAMILIES.yolox.check(signature([image(1, 3, 'h', 'w')], [tensor('output', [1, 'cells', 6])]), null);
    const short = outputs({ output: { dims: [20, 6], data: new Array<number>(120).fill(0) } });
    expect(faultOf(() => model.decode(short, { width: 32, height: 32 }, 0.5)).code).toBe('MODEL_SHAPE');
  });
});

describe('the axes of a yolov8 output', () => {
  const checked = (output: Shape, labelCount: number | null = null, input: Shape = [1, 3, 640, 640]) =>
    FAMILIES.yolov8.check(signature([image(...input)], [tensor('output0', output)]), labelCount).classCount;

  test('features come first, whatever their number', () => {
    expect(checked([1, 7, 8400])).toBe(3);
    expect(checked([1, 84, 84], null, [1, 3, 64, 64])).toBe(80);
    expect(checked([1, 84, 21], null, [1, 3, 32, 32])).toBe(80);
    expect(checked(['batch', 7, 'anchors'], null, ['batch', 3, 'height', 'width'])).toBe(3);
  });

  test('transposed they are read where 80 classes or the labels confirm it', () => {
    expect(checked([1, 8400, 84])).toBe(80);
    expect(checked([1, 8400, 7], 3)).toBe(3);
  });

  test('transposed with another number of classes they could be another family, and are refused', () => {
    expect(faultOf(() => checked([1, 8400, 85])).code).toBe('MODEL_SHAPE');
    expect(faultOf(() => checked([1, 8400, 7], 2)).code).toBe('MODEL_SHAPE');
  });

  test('an output without a class is refused', () => {
    expect(faultOf(() => checked([1, 4, 8400])).code).toBe('MODEL_SHAPE');
  });
});

describe('decoding', () => {
  const size = { width: 64, height: 64 };

  test('ultraface scales corners from 0..1 and takes the second score', () => {
    const model = FAMILIES.ultraface.check(SIGNATURES.ultraface, null);
    const found = outputs({
      scores: { dims: [3, 2], data: [0.9, 0.1, 0.25, 0.75, 0, 1] },
      boxes: { dims: [3, 4], data: [0, 0, 1, 1, 0.25, 0.5, 0.5, 0.75, -0.5, 0, 1.5, 1] },
    });
    expect(model.decode(found, { width: 320, height: 240 }, 0.7)).toEqual([
      { box: [80, 120, 160, 180], score: 0.75, classId: 0 },
      { box: [-160, 0, 480, 240], score: 1, classId: 0 },
    ]);
  });

  test('yunet multiplies its scores and places boxes by cell and stride', () => {
    const model = FAMILIES.yunet.check(SIGNATURES.yunet, null);
    const grid = (stride: number, hit: number, width: number, values: readonly number[]) => {
      const cells = (64 / stride) ** 2;
      const data = new Array<number>(cells * width).fill(0);
      values.forEach((value, at) => {
        data[hit * width + at] = value;
      });
      return { dims: [cells, width], data };
    };
    const found = outputs({
      cls_8: grid(8, 10, 1, [0.5]),
      obj_8: grid(8, 10, 1, [1]),
      bbox_8: grid(8, 10, 4, [0.5, 0.25, 0, Math.log(2)]),
      cls_16: grid(16, 0, 1, []),
      obj_16: grid(16, 0, 1, []),
      bbox_16: grid(16, 0, 4, []),
      cls_32: grid(32, 3, 1, [1]),
      obj_32: grid(32, 3, 1, [0.4]),
      bbox_32: grid(32, 3, 4, [0, 0, 0, 0]),
    });
    // Cell 10 of the 8 × 8 grid is column 2 of row 1: the centre lies at (2.5, 1.25) × 8.
    const [box, ...others] = model.decode(found, size, 0.45);
    expect(others).toEqual([]);
    expect(box?.score).toBe(0.5);
    expect(box?.box.map((value) => Math.round(value * 1e4) / 1e4)).toEqual([16, 2, 24, 18]);
    expect(model.decode(found, size, 0.3).map(({ box: at }) => at[2])).toEqual([24, 48]);
  });

  test('yolox takes the best class, weighs it by objectness and goes through its grids in order', () => {
    const cells = cellCount(size);
    const data = new Array<number>(cells * 7).fill(0);
    const put = (cell: number, values: readonly number[]): void => {
      data.splice(cell * 7, values.length, ...values);
    };
    put(10, [0.5, 0.5, 0, 0, 0.5, 0.25, 1]);
    put(64 + 16 + 3, [1, 0, Math.log(2), 0, 1, 0.75, 0.5]);
    put(1, [0, 0, 0, 0, 0.5, 0.5, 0.5]);
    const model = FAMILIES.yolox.check(signature([image(1, 3, 64, 64)], [tensor('output', [1, cells, 7])]), null);
    const found = model.decode(outputs({ output: { dims: [cells, 7], data } }), size, 0.3).map((one) => ({
      ...one,
      box: one.box.map((value) => Math.round(value * 1e4) / 1e4),
    }));
    // Cell 10 of the 8 × 8 grid is column 2 of row 1; cell 3 of the 2 × 2 grid is column 1 of row 1.
    expect(found).toEqual([
      { box: [16, 8, 24, 16], score: 0.5, classId: 1 },
      { box: [32, 16, 96, 48], score: 0.75, classId: 0 },
    ]);
  });

  test.for([
    { layout: 'features first', transposed: false },
    { layout: 'transposed', transposed: true },
  ])('yolov8 reads centre, size and the best class, $layout', ({ transposed }) => {
    const boxes = [
      [32, 16, 8, 4, 0.25, 0.5],
      [10, 10, 4, 4, 0.125, 0],
      [20, 20, 4, 4, 1, 0.5],
    ];
    const data = transposed
      ? boxes.flat()
      : [0, 1, 2, 3, 4, 5].flatMap((feature) => boxes.map((box) => box[feature] ?? 0));
    const shape: Shape = transposed ? [1, 'n', 6] : [1, 6, 'n'];
    const model = FAMILIES.yolov8.check(signature([image(1, 3, 64, 64)], [tensor('output0', shape)]), 2);
    const found = outputs({ output0: { dims: transposed ? [3, 6] : [6, 3], data } });
    expect(model.decode(found, size, 0.25)).toEqual([
      { box: [28, 14, 36, 18], score: 0.5, classId: 1 },
      { box: [18, 18, 22, 22], score: 1, classId: 0 },
    ]);
  });

  test('a score that is not a number is no detection', () => {
    const model = FAMILIES.yolov8.check(signature([image(1, 3, 64, 64)], [tensor('output0', [1, 5, 'n'])]), null);
    const found = outputs({ output0: { dims: [5, 1], data: [1, 1, 1, 1, Number.NaN] } });
    expect(model.decode(found, size, 0)).toEqual([]);
  });
});
