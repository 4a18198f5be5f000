import { bytesPerFrame, type Frame, type PixelFormat } from '@stream-infer/algorithm';
import { describe, expect, test } from 'vitest';
import { crop, cropRectangle } from './crop.ts';

/** Every byte of the picture tells where it was: its place in the data. */
function picture(pixelFormat: PixelFormat, width: number, height: number, source = { width, height }): Frame {
  const data = Uint8Array.from({ length: bytesPerFrame(pixelFormat, width, height) }, (_, at) => at);
  const place = { index: 0, n: 1, position: 0, timestampMs: 0 };
  return { ...place, width, height, pixelFormat, data, sourceWidth: source.width, sourceHeight: source.height };
}

describe('where a box is cut', () => {
  const frame = picture('gray', 10, 8, { width: 20, height: 16 });

  test('is in pixels of the frame, rounded outwards', () => {
    expect(cropRectangle([4, 2, 9, 8], frame, 0)).toEqual({ left: 2, top: 1, right: 5, bottom: 4 });
    expect(cropRectangle([4, 4, 8, 8], frame, 0.5)).toEqual({ left: 1, top: 1, right: 5, bottom: 5 });
  });

  test('is clipped to the frame, and nowhere where nothing of it is inside', () => {
    expect(cropRectangle([-6, -4, 4, 100], frame, 0)).toEqual({ left: 0, top: 0, right: 2, bottom: 8 });
    expect(cropRectangle([-9, 0, -2, 8], frame, 0)).toBeNull();
    expect(cropRectangle([20, 0, 30, 8], frame, 0)).toBeNull();
    expect(cropRectangle([5, 5, 5, 5], { ...frame, width: 20, height: 16 }, 0)).toBeNull();
  });

  test('begins at even pixels in yuv420p', () => {
    const yuv = picture('yuv420p', 10, 8);
    expect(cropRectangle([3, 5, 8, 8], yuv, 0)).toEqual({ left: 2, top: 4, right: 8, bottom: 8 });
  });
});

test('packed pixels keep their channels', () => {
  const cut = crop(picture('bgr24', 4, 3), { left: 1, top: 1, right: 3, bottom: 3 });
  expect([cut.width, cut.height]).toEqual([2, 2]);
  expect([...cut.data]).toEqual([15, 16, 17, 18, 19, 20, 27, 28, 29, 30, 31, 32]);
});

test('yuv420p is cut in all of its planes, of odd sizes too', () => {
  // 5 × 4: 20 of luma, then 3 × 2 of U and of V.
  const cut = crop(picture('yuv420p', 5, 4), { left: 2, top: 2, right: 5, bottom: 4 });
  expect([...cut.data]).toEqual([12, 13, 14, 17, 18, 19, 24, 25, 30, 31]);
});
