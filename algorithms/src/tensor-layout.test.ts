import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultStack, LAYOUTS, missingAxis, STACKS, takesWindows, tensorLayout } from './tensor-layout.ts';

const size = { width: 5, height: 4 };

describe('a tensor layout', () => {
  test.for([
    ['nchw', 'newest', 1, [1, 3, 4, 5], { channel: 20, row: 5, pixel: 1 }, 0],
    ['nhwc', 'newest', 1, [1, 4, 5, 3], { channel: 1, row: 15, pixel: 3 }, 0],
    ['nchw', 'channels', 2, [1, 6, 4, 5], { channel: 20, row: 5, pixel: 1 }, 60],
    ['nhwc', 'channels', 2, [1, 4, 5, 6], { channel: 1, row: 30, pixel: 6 }, 3],
    ['nchw', 'batch', 2, [2, 3, 4, 5], { channel: 20, row: 5, pixel: 1 }, 60],
    ['ncthw', 'time', 2, [1, 3, 2, 4, 5], { channel: 40, row: 5, pixel: 1 }, 20],
    ['ntchw', 'time', 2, [1, 2, 3, 4, 5], { channel: 20, row: 5, pixel: 1 }, 60],
  ] as const)('%s stacked by %s', ([layout, stack, frames, dims, strides, frameStride]) => {
    expect(tensorLayout(layout, stack, { frames }, size, 3)).toMatchObject({ dims, strides, frameStride });
  });

  test('gives every element of every frame a place of its own', () => {
    const layout = fc.constantFrom(...LAYOUTS);
    const stack = fc.constantFrom(...STACKS);
    const channels = fc.constantFrom(1 as const, 3 as const);
    fc.assert(
      fc.property(layout, stack, channels, fc.integer({ min: 1, max: 3 }), (axes, along, channelCount, count) => {
        fc.pre(missingAxis(axes, along, channelCount) === null);
        const frames = along === 'newest' ? 1 : count;
        const { dims, strides, frameStride } = tensorLayout(axes, along, { frames }, size, channelCount);
        const ranges: [number, number][] = [
          [frames, frameStride],
          [channelCount, strides.channel],
          [size.height, strides.row],
          [size.width, strides.pixel],
        ];
        const places = new Set(
          ranges.reduce<number[]>(
            (starts, [extent, stride]) =>
              starts.flatMap((at) => Array.from({ length: extent }, (_, i) => at + i * stride)),
            [0],
          ),
        );
        const elements = dims.reduce((product, dim) => product * dim, 1);
        expect(places.size).toBe(elements);
        expect(Math.max(...places)).toBe(elements - 1);
      }),
    );
  });

  test('stacks along time where it has that axis, and else takes the newest frame', () => {
    expect(defaultStack('ntchw')).toBe('time');
    expect(defaultStack('nchw')).toBe('newest');
  });

  test('names the axis that a stack or three channels need', () => {
    expect(missingAxis('chw', 'batch', 3)).toBe('n');
    expect(missingAxis('nchw', 'time', 3)).toBe('t');
    expect(missingAxis('nhw', 'newest', 3)).toBe('c');
    expect(missingAxis('nhw', 'newest', 1)).toBeNull();
  });
});

test.each([
  ['nchw', 'newest', 1, [4, 3, 4, 5], 60],
  ['nhwc', 'channels', 2, [4, 4, 5, 6], 120],
  ['ntchw', 'time', 2, [4, 2, 3, 4, 5], 120],
] as const)(
  '%s stacked by %s: the windows of a batch follow each other along the batch axis',
  (layout, stack, frames, dims, stride) => {
    expect(takesWindows(layout, stack)).toBe(true);
    const shape = tensorLayout(layout, stack, { windows: 4, frames }, { width: 5, height: 4 }, 3);
    expect([shape.dims, shape.windowStride]).toEqual([dims, stride]);
  },
);

test('there is no room for several windows where their frames take the batch axis, or there is none', () => {
  expect([takesWindows('nchw', 'batch'), takesWindows('chw', 'newest')]).toEqual([false, false]);
});
