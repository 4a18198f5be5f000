import { describe, expect, test } from 'vitest';
import { convertPicture, type DecodedPicture } from './rgb-pixels.ts';

const RED = [255, 0, 0];
const GREEN = [0, 255, 0];
const BLUE = [0, 0, 255];
const WHITE = [255, 255, 255];
const BLACK = [0, 0, 0];

const picture = (width: number, ...pixels: number[][]): DecodedPicture => ({
  width,
  height: pixels.length / width,
  channels: 3,
  data: Uint8Array.from(pixels.flat()),
});

const gray = (width: number, ...pixels: number[]): DecodedPicture => ({
  width,
  height: pixels.length / width,
  channels: 1,
  data: Uint8Array.from(pixels),
});

describe('a decoded picture', () => {
  test('becomes packed pixels in either order of colours', () => {
    expect([...convertPicture(picture(2, [1, 2, 3], [4, 5, 6]), 'rgb24')]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...convertPicture(picture(2, [1, 2, 3], [4, 5, 6]), 'bgr24')]).toEqual([3, 2, 1, 6, 5, 4]);
    expect([...convertPicture(gray(2, 7, 9), 'bgr24')]).toEqual([7, 7, 7, 9, 9, 9]);
  });

  test('becomes luma in full range; what was grey stays as it was', () => {
    expect([...convertPicture(picture(1, RED, GREEN, BLUE, WHITE, BLACK), 'gray')]).toEqual([77, 149, 29, 255, 0]);
    const greys = Array.from({ length: 256 }, (_, value) => [value, value, value]);
    expect([...convertPicture(picture(256, ...greys), 'gray')]).toEqual(greys.map(([value]) => value));
    expect([...convertPicture(gray(3, 0, 100, 255), 'gray')]).toEqual([0, 100, 255]);
  });

  test('becomes yuv420p in video range, its chroma the mean of four pixels, odd sizes rounded up', () => {
    const [y, u, v] = [16 + 66, 90, 240];
    expect([...convertPicture(picture(2, RED, RED, RED, RED), 'yuv420p')]).toEqual([y, y, y, y, u, v]);
    expect([...convertPicture(picture(2, WHITE, WHITE, BLACK, BLACK), 'yuv420p')]).toEqual([
      235, 235, 16, 16, 128, 128,
    ]);
    expect(convertPicture(picture(3, ...Array.from({ length: 9 }, () => RED)), 'yuv420p')).toHaveLength(9 + 2 * 4);
    expect([...convertPicture(gray(1, 255), 'yuv420p')]).toEqual([235, 128, 128]);
  });
});
