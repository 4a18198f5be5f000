import { createHash } from 'node:crypto';
import { bytesPerFrame, type Frame, type PixelFormat } from '@stream-infer/algorithm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import FrameStats from './frame-stats.ts';

const silent = (): void => undefined;

function algorithm(options: Record<string, boolean> = {}): FrameStats {
  const stats = new FrameStats();
  const logger = { debug: silent, info: silent, warn: silent, error: silent };
  stats.init({ name: 'stats', options, logger, resolvePath: (path) => path });
  return stats;
}

const frame = (pixelFormat: PixelFormat, width: number, height: number, data: Uint8Array): Frame => ({
  index: 0,
  n: 1,
  position: 0,
  timestampMs: 0,
  width,
  height,
  pixelFormat,
  data,
  sourceWidth: width,
  sourceHeight: height,
});

const anyFrame = fc
  .record({
    width: fc.integer({ min: 1, max: 8 }),
    height: fc.integer({ min: 1, max: 8 }),
    pixelFormat: fc.constantFrom<PixelFormat>('bgr24', 'rgb24', 'gray', 'yuv420p'),
  })
  .chain(({ width, height, pixelFormat }) => {
    const length = bytesPerFrame(pixelFormat, width, height);
    return fc
      .uint8Array({ minLength: length, maxLength: length })
      .map((data) => frame(pixelFormat, width, height, data));
  });

const CHANNELS = { bgr24: ['b', 'g', 'r'], rgb24: ['r', 'g', 'b'], gray: ['gray'], yuv420p: ['y', 'u', 'v'] };

/** The bytes of each channel, in the order of the names. */
function channelBytes({ pixelFormat, width, height, data }: Frame): number[][] {
  const bytes = [...data];
  if (pixelFormat === 'gray') return [bytes];
  if (pixelFormat !== 'yuv420p') return [0, 1, 2].map((channel) => bytes.filter((_, at) => at % 3 === channel));
  const chroma = Math.ceil(width / 2) * Math.ceil(height / 2);
  const luma = width * height;
  return [bytes.slice(0, luma), bytes.slice(luma, luma + chroma), bytes.slice(luma + chroma)];
}

/** Of the Laplacian, pixel by pixel, in two passes. */
function laplacianVariance({ width, height }: Frame, luma: readonly number[]): number {
  const values: number[] = [];
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = (dx: number, dy: number): number => luma[(y + dy) * width + x + dx] as number;
      values.push(at(0, -1) + at(0, 1) + at(-1, 0) + at(1, 0) - 4 * at(0, 0));
    }
  }
  if (values.length === 0) return 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
}

describe('frame-stats', () => {
  test('names its channels in the order of the pixel format, and counts them right', () => {
    fc.assert(
      fc.property(anyFrame, (given) => {
        const { channels, mean, min, max, sharpness } = algorithm().run([given]);
        const bytes = channelBytes(given);
        expect(channels).toEqual(CHANNELS[given.pixelFormat]);
        expect(min).toEqual(bytes.map((channel) => Math.min(...channel)));
        expect(max).toEqual(bytes.map((channel) => Math.max(...channel)));
        for (const [at, channel] of bytes.entries()) {
          expect(mean[at]).toBeCloseTo(channel.reduce((sum, value) => sum + value, 0) / channel.length, 2);
        }
        const [first = [], second = [], third = []] = bytes;
        const [red, blue] = given.pixelFormat === 'rgb24' ? [first, third] : [third, first];
        const packed = given.pixelFormat === 'rgb24' || given.pixelFormat === 'bgr24';
        const luma = first.map((value, at) =>
          packed
            ? (77 * (red[at] as number) + 150 * (second[at] as number) + 29 * (blue[at] as number) + 128) >> 8
            : value,
        );
        expect(sharpness).toBeCloseTo(laplacianVariance(given, luma), 2);
      }),
    );
  });

  test('a picture of one colour has no sharpness, and a blurred edge less than a hard one', () => {
    const edge = (values: readonly number[]): number =>
      algorithm().run([frame('gray', values.length, 3, Uint8Array.from([...values, ...values, ...values]))]).sharpness;
    expect(edge([90, 90, 90, 90, 90, 90])).toBe(0);
    expect(edge([0, 0, 100, 155, 255, 255])).toBeLessThan(edge([0, 0, 0, 255, 255, 255]));
  });

  test('looks at the newest frame, and measures it as if alone, whatever sizes came before', () => {
    const small = frame(
      'bgr24',
      3,
      3,
      Uint8Array.from({ length: 27 }, (_, at) => (at * 53) % 256),
    );
    const large = frame(
      'bgr24',
      5,
      4,
      Uint8Array.from({ length: 60 }, (_, at) => (at * 91) % 256),
    );
    const stats = algorithm();
    for (const [given, newest] of [
      [[small], small] as const,
      [[small, large], large] as const,
      [[small], small] as const,
    ]) {
      expect(stats.run(given)).toEqual(algorithm().run([newest]));
    }
  });

  test('has the SHA-256 of the bytes where it is asked for, and only there', () => {
    const data = Uint8Array.of(1, 2, 3, 4);
    const given = frame('gray', 2, 2, data);
    const sha256 = createHash('sha256').update(data).digest('hex');
    expect(algorithm({ hash: true }).run([given])).toMatchObject({ sha256 });
    expect(algorithm().run([given])).not.toHaveProperty('sha256');
  });

  test('refuses an option it does not know', () => {
    expect(() => algorithm({ hsah: true })).toThrowError(
      expect.objectContaining({ code: 'ALGORITHM_OPTIONS', message: expect.stringContaining('hsah') }),
    );
  });
});
