import { Fault } from '@stream-infer/core/fault';
import { describe, expect, test } from 'vitest';
import { frameInputShape } from './frame-input-shape.ts';
import { frameInputOptions } from './onnx-options.ts';

const refuse = (problem: string): Fault => new Fault('ALGORITHM_OPTIONS', problem);

const shapeOf = (shape: readonly (number | string)[], declaration: object) =>
  frameInputShape('/m.onnx', { name: 'x', type: 'float32', shape }, frameInputOptions.parse(declaration), refuse);

describe('the shape of a frame input', () => {
  test('takes its size from the model, or from the declaration where the model takes any', () => {
    expect(shapeOf([1, 3, 48, 64], {})).toEqual({
      layout: 'nchw',
      stack: 'newest',
      size: { width: 64, height: 48 },
      channels: 3,
      frames: null,
    });
    expect(shapeOf(['n', 'h', 'w', 3], { layout: 'nhwc', width: 32, height: 16 }).size).toEqual({
      width: 32,
      height: 16,
    });
    expect(shapeOf([1, 3, 48, 64], { width: 64, height: 48 }).size).toEqual({ width: 64, height: 48 });
  });

  test('takes the number of frames from the axis that they are stacked along', () => {
    expect(shapeOf([1, 12, 48, 64], { stack: 'channels' }).frames).toBe(4);
    expect(shapeOf([1, 12, 48, 64], { stack: 'channels', channels: 'gray' }).frames).toBe(12);
    expect(shapeOf([1, 8, 3, 48, 64], { layout: 'ntchw' }).frames).toBe(8);
    expect(shapeOf(['n', 3, 48, 64], { stack: 'batch' }).frames).toBeNull();
  });

  test.for([
    [
      'a size the model has not',
      [1, 3, 48, 64],
      { width: 65, height: 48 },
      'ALGORITHM_OPTIONS',
      'width is 65: it must be 64',
    ],
    ['no size for a model of any', [1, 3, 'h', 'w'], {}, 'ALGORITHM_OPTIONS', 'width is missing'],
    ['a layout of another rank', [3, 48, 64], {}, 'ALGORITHM_OPTIONS', 'layout is "nchw": it must have 3 axes'],
    ['colours without an axis', [48, 64], { layout: 'hw' }, 'ALGORITHM_OPTIONS', 'it must have the axis c'],
    ['frames without an axis', [1, 3, 48, 64], { stack: 'time' }, 'ALGORITHM_OPTIONS', 'it must have the axis t'],
    ['other channels than the model', [1, 1, 48, 64], {}, 'MODEL_SHAPE', 'takes [1, 1, 48, 64], but'],
    ['channels that make no whole frame', [1, 4, 48, 64], { stack: 'channels' }, 'MODEL_SHAPE', 'makes [1, 3, 48, 64]'],
    ['one frame for a batch of two', [2, 3, 48, 64], {}, 'MODEL_SHAPE', 'makes [1, 3, 48, 64]'],
  ] as const)('%s is refused', ([, shape, declaration, code, message]) => {
    expect(() => shapeOf(shape, declaration)).toThrowError(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });
});
