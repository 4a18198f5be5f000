import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { describe, expect, test } from 'vitest';
import { streamSpec } from '../../../test/model/specs.ts';
import { frameGeometry, type Geometry, type Size } from './geometry.ts';

const HD = { width: 1920, height: 1080 };
const MIB = 2 ** 20;
const geometry = (spec: Partial<StreamSpec>, source: Size = HD, maxPayloadBytes = 16 * MIB): Geometry =>
  frameGeometry({
    spec: streamSpec({ id: 'cam', pixelFormat: 'bgr24', ...spec }),
    source,
    maxPayloadBytes,
  });
const size = (...args: Parameters<typeof geometry>): string => {
  const { frame } = geometry(...args);
  return `${frame.width}x${frame.height}`;
};

describe('without a size', () => {
  test("the source's own is taken where such a frame fits, even an odd one", () => {
    const { frame, notices } = geometry({}, { width: 321, height: 181 });
    expect(frame).toEqual({
      width: 321,
      height: 181,
      pixelFormat: 'bgr24',
      encoding: 'raw',
      bytesPerFrame: 321 * 181 * 3,
    });
    expect(notices).toEqual([]);
  });

  test('the largest even one of the same shape that fits is taken, and that is said in one line', () => {
    const { frame, notices } = geometry({}, HD, MIB);
    expect((frame.width % 2) + (frame.height % 2)).toBe(0);
    expect(frame.width / frame.height).toBeCloseTo(16 / 9, 1);
    const room = MIB - 8192;
    expect(frame.bytesPerFrame).toBeLessThanOrEqual(room);
    expect((frame.width + 2) * Math.floor(((frame.width + 2) * 9) / 16 / 2) * 2 * 3).toBeGreaterThan(room);
    expect(notices).toHaveLength(1);
    expect(notices[0]).toMatch(/1920x1080 .* 6\.2 MB .* 1\.0 MB: frames are published at \d+x\d+/);
  });

  test('gray needs a third of the bytes', () => {
    expect(size({ pixelFormat: 'gray' }, { width: 1280, height: 720 }, MIB)).toBe('1280x720');
  });

  test('a JPEG is bounded by its raw bytes', () => {
    const { frame } = geometry({ encoding: 'jpeg' }, HD, MIB);
    expect(frame.bytesPerFrame).toBeLessThanOrEqual(MIB - 8192);
  });

  test('an odd source is published even in yuv420p, and that is said', () => {
    const { frame, notices } = geometry({ pixelFormat: 'yuv420p' }, { width: 321, height: 181 });
    expect([frame.width, frame.height]).toEqual([320, 180]);
    expect(notices[0]).toMatch(/321x181 are published at 320x180/);
  });
});

describe('a size asked for', () => {
  test('is taken as it is', () => expect(size({ width: 100, height: 300 })).toBe('100x300'));

  test('keeps the shape where one dimension is given', () => {
    expect(size({ width: 640 })).toBe('640x360');
    expect(size({ height: 240 })).toBe('427x240');
    expect(size({ width: 100 }, { width: 640, height: 480 })).toBe('100x75');
    expect(size({ height: 240, pixelFormat: 'yuv420p' })).toBe('426x240');
    expect(size({ width: 1 }, { width: 4000, height: 2 })).toBe('1x1');
  });

  test('is refused where such a frame does not fit, with ones that do', () => {
    const refused = (): Geometry => geometry({ width: 1920, height: 1080 }, HD, MIB);
    expect(refused).toThrow(expect.objectContaining({ code: 'SIZE_TOO_LARGE' }));
    expect(refused).toThrow(/1920x1080 .*: choose (\d+x\d+) or (\d+x\d+), or raise max_payload/);
    let message = '';
    try {
      refused();
    } catch (error) {
      message = String(error);
    }
    for (const [, width, height] of message.split('choose')[1]?.matchAll(/(\d+)x(\d+)/g) ?? [])
      expect(size({ width: Number(width), height: Number(height) }, HD, MIB)).toBe(`${width}x${height}`);
  });

  test('is refused where it is odd and yuv420p, with even ones', () => {
    expect(() => geometry({ width: 641, height: 480, pixelFormat: 'yuv420p' })).toThrow(
      expect.objectContaining({ code: 'SIZE_ODD', message: expect.stringContaining('641x480') }),
    );
    expect(() => geometry({ width: 641, pixelFormat: 'yuv420p' })).toThrow(/even/);
    expect(size({ width: 641, height: 481 })).toBe('641x481');
  });
});

test('JPEG in yuv420p is refused with why', () => {
  expect(() => geometry({ encoding: 'jpeg', pixelFormat: 'yuv420p' })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('yuv420p') }),
  );
});
