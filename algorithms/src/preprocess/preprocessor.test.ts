import { bytesPerFrame, type PixelFormat } from '@stream-infer/algorithm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Placement, placeInto } from './placement.ts';
import { type Picture, Preprocessor, type PreprocessorOptions } from './preprocessor.ts';
import type { ChannelOrder } from './tensor-writer.ts';

const plain = { scale: 1, mean: [0, 0, 0], std: [1, 1, 1], padding: 0 };

function planes(picture: Picture, placement: Placement, options: PreprocessorOptions): number[] {
  const { width, height } = placement;
  const target = new Float32Array(width * height * (options.channels === 'gray' ? 1 : 3));
  const strides = { channel: width * height, row: width, pixel: 1 };
  new Preprocessor(options).write(picture, placement, target, 0, strides);
  return [...target];
}

const inPlace = (picture: Picture): Placement => placeInto(picture, picture, 'stretch');

/** The colour of a pixel as r, g, b, by the book. */
function colourAt({ pixelFormat, width, height, data }: Picture, x: number, y: number): number[] {
  const at = y * width + x;
  const byte = (index: number): number => data[index] as number;
  if (pixelFormat === 'gray') return [byte(at), byte(at), byte(at)];
  if (pixelFormat === 'rgb24') return [byte(3 * at), byte(3 * at + 1), byte(3 * at + 2)];
  if (pixelFormat === 'bgr24') return [byte(3 * at + 2), byte(3 * at + 1), byte(3 * at)];
  const chromaWidth = Math.ceil(width / 2);
  const chromaHeight = Math.ceil(height / 2);
  const chroma = (plane: number): number => {
    const sample = (column: number, row: number): number =>
      byte(
        width * height +
          plane * chromaWidth * chromaHeight +
          Math.min(chromaHeight - 1, Math.max(0, row)) * chromaWidth +
          Math.min(chromaWidth - 1, Math.max(0, column)),
      );
    const [cx, cy] = [x / 2 - 0.25, y / 2 - 0.25];
    const [left, top] = [Math.floor(cx), Math.floor(cy)];
    const above = sample(left, top) * (1 - cx + left) + sample(left + 1, top) * (cx - left);
    const below = sample(left, top + 1) * (1 - cx + left) + sample(left + 1, top + 1) * (cx - left);
    return above * (1 - cy + top) + below * (cy - top) - 128;
  };
  const [luma, u, v] = [(255 / 219) * (byte(at) - 16), chroma(0), chroma(1)];
  return [luma + 1.596 * v, luma - 0.392 * u - 0.813 * v, luma + 2.017 * u].map((value) =>
    Math.min(255, Math.max(0, value)),
  );
}

function inOrder([red = 0, green = 0, blue = 0]: readonly number[], channels: ChannelOrder): number[] {
  if (channels === 'gray') return [0.299 * red + 0.587 * green + 0.114 * blue];
  return channels === 'rgb' ? [red, green, blue] : [blue, green, red];
}

const picture = fc
  .record({
    width: fc.integer({ min: 1, max: 9 }),
    height: fc.integer({ min: 1, max: 9 }),
    pixelFormat: fc.constantFrom<PixelFormat>('bgr24', 'rgb24', 'gray', 'yuv420p'),
  })
  .chain((shape) => {
    const length = bytesPerFrame(shape.pixelFormat, shape.width, shape.height);
    return fc.uint8Array({ minLength: length, maxLength: length }).map((data) => ({ ...shape, data }));
  });

describe('a preprocessed picture', () => {
  test('has its channels in the order asked for, normalised, whatever its format', () => {
    const order = fc.constantFrom<ChannelOrder>('rgb', 'bgr', 'gray');
    fc.assert(
      fc.property(picture, order, (given, channels) => {
        const mean = [10, 20, 30];
        const std = [2, 4, 8];
        const elements = planes(given, inPlace(given), { channels, scale: 0.5, mean, std, padding: 0 });
        // Colour conversion is rounded to bytes, once or twice; the other formats are copied.
        const tolerance = given.pixelFormat === 'yuv420p' ? 3 : 0;
        const rounding = channels === 'gray' ? 1.5 : 0.01;
        for (let at = 0; at < given.width * given.height; at++) {
          const expected = inOrder(colourAt(given, at % given.width, Math.floor(at / given.width)), channels);
          for (const [channel, value] of expected.entries()) {
            const element = elements[channel * given.width * given.height + at] as number;
            const byte = (element * (std[channel] as number) + (mean[channel] as number)) / 0.5;
            expect(Math.abs(byte - value)).toBeLessThanOrEqual(tolerance + rounding);
          }
        }
      }),
    );
  });

  test('is padded with the padding byte, normalised as the picture is', () => {
    const given: Picture = { width: 2, height: 1, pixelFormat: 'gray', data: Uint8Array.of(40, 80) };
    const placement = { width: 4, height: 3, left: 1, top: 1, contentWidth: 2, contentHeight: 1 };
    const options = { channels: 'gray', scale: 0.5, mean: [7], std: [1], padding: 114 } as const;
    expect(planes(given, placement, options)).toEqual([50, 50, 50, 50, 50, 13, 33, 50, 50, 50, 50, 50]);
  });

  test('overwrites all that was in the tensor before', () => {
    fc.assert(
      fc.property(picture, fc.constantFrom('letterbox', 'letterbox-centre'), (given, mode) => {
        const placement = placeInto({ width: 7, height: 5 }, given, mode as 'letterbox');
        const preprocessor = new Preprocessor({ ...plain, channels: 'rgb', padding: 3 });
        const strides = { channel: 35, row: 7, pixel: 1 };
        const clean = new Float32Array(105);
        const dirty = new Float32Array(105).fill(Number.NaN);
        preprocessor.write(given, placement, clean, 0, strides);
        preprocessor.write(given, placement, dirty, 0, strides);
        expect(dirty).toEqual(clean);
      }),
    );
  });

  test('lies where the strides say: interleaved channels, at an offset', () => {
    const given: Picture = { width: 2, height: 1, pixelFormat: 'bgr24', data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
    const target = new Float32Array(8);
    new Preprocessor({ ...plain, channels: 'rgb' }).write(given, inPlace(given), target, 2, {
      channel: 1,
      row: 6,
      pixel: 3,
    });
    expect([...target]).toEqual([0, 0, 3, 2, 1, 6, 5, 4]);
  });

  test('is resized as its planes are, yuv420p too', () => {
    const luma = new Uint8Array(16 * 8).fill(126);
    const data = Uint8Array.of(...luma, ...new Uint8Array(32).fill(90), ...new Uint8Array(32).fill(200));
    const given: Picture = { width: 16, height: 8, pixelFormat: 'yuv420p', data };
    const elements = planes(given, placeInto({ width: 5, height: 3 }, given, 'stretch'), { ...plain, channels: 'rgb' });
    const [red, green, blue] = colourAt(given, 3, 3) as [number, number, number];
    expect(elements).toHaveLength(45);
    for (const [at, element] of elements.entries()) {
      const expected = [red, green, blue][Math.floor(at / 15)] as number;
      expect(Math.abs(element - expected)).toBeLessThanOrEqual(2);
    }
  });

  test('keeps apart pictures of different sizes and formats that one preprocessor is handed in turn', () => {
    fc.assert(
      fc.property(fc.array(picture, { minLength: 2, maxLength: 6 }), (pictures) => {
        const options = { ...plain, channels: 'rgb' } as const;
        const shared = new Preprocessor(options);
        for (const given of [...pictures, ...pictures]) {
          const placement = placeInto({ width: 6, height: 4 }, given, 'letterbox');
          const target = new Float32Array(72);
          shared.write(given, placement, target, 0, { channel: 24, row: 6, pixel: 1 });
          expect([...target]).toEqual(planes(given, placement, options));
        }
      }),
    );
  });
});
