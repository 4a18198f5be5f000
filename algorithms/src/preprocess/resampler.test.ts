import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PackedRows } from './resampler.ts';

/** The bytes that the figures below were computed from. */
function pattern(length: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state >> 16;
  });
}

type Shape = { width: number; height: number; targetWidth: number; targetHeight: number; gray: boolean };

function resized(data: Uint8Array, { width, height, targetWidth, targetHeight, gray }: Shape): Uint8Array {
  const rows = new PackedRows(gray ? 'gray' : 'bgr', width, height, targetWidth, targetHeight);
  const length = targetWidth * (gray ? 1 : 3);
  const out = new Uint8Array(length * targetHeight);
  rows.begin(data);
  for (let row = 0; row < targetHeight; row++) {
    rows.seek(row);
    out.set(rows.bytes.subarray(rows.offset, rows.offset + length), row * length);
  }
  return out;
}

/** Bilinear interpolation at half-pixel centres, by the book and in floating point. */
function interpolated(data: Uint8Array, { width, height, targetWidth, targetHeight, gray }: Shape): number[] {
  const components = gray ? 1 : 3;
  const at = (x: number, y: number, component: number): number => {
    const column = Math.min(width - 1, Math.max(0, x));
    const row = Math.min(height - 1, Math.max(0, y));
    return data[(row * width + column) * components + component] as number;
  };
  const out: number[] = [];
  for (let row = 0; row < targetHeight; row++) {
    for (let column = 0; column < targetWidth; column++) {
      const x = ((column + 0.5) * width) / targetWidth - 0.5;
      const y = ((row + 0.5) * height) / targetHeight - 0.5;
      const [left, top] = [Math.floor(x), Math.floor(y)];
      const [right, below] = [x - left, y - top];
      for (let component = 0; component < components; component++) {
        const above = at(left, top, component) * (1 - right) + at(left + 1, top, component) * right;
        const under = at(left, top + 1, component) * (1 - right) + at(left + 1, top + 1, component) * right;
        out.push(above * (1 - below) + under * below);
      }
    }
  }
  return out;
}

describe('a resized picture', () => {
  // cv2.resize(..., interpolation=cv2.INTER_LINEAR) of OpenCV 4.10 and 5.0 on the same bytes.
  test('has the bytes that OpenCV makes', () => {
    const shape = { width: 5, height: 4, targetWidth: 7, targetHeight: 3, gray: false };
    expect([...resized(pattern(60), shape)]).toEqual([
      187, 105, 139, 136, 102, 187, 129, 131, 183, 207, 211, 82, 218, 185, 172, 177, 122, 209, 118, 52, 210, 98, 45,
      213, 80, 88, 151, 94, 107, 108, 162, 74, 116, 160, 79, 111, 128, 93, 103, 87, 109, 96, 155, 99, 115, 178, 45, 118,
      186, 58, 148, 161, 192, 216, 87, 132, 156, 73, 143, 134, 93, 189, 137,
    ]);
  });

  test.for([
    { what: 'smaller', width: 64, height: 48, targetWidth: 41, targetHeight: 30, gray: false, sha: 'd91e765c2f0ea4e1' },
    { what: 'half', width: 64, height: 48, targetWidth: 32, targetHeight: 24, gray: false, sha: 'c98600a8d33a68a6' },
    { what: 'larger', width: 61, height: 37, targetWidth: 200, targetHeight: 90, gray: false, sha: 'fb644b72e90fbfbc' },
    { what: 'gray', width: 64, height: 48, targetWidth: 41, targetHeight: 30, gray: true, sha: '9406eab3821dddbf' },
    { what: 'lower', width: 50, height: 40, targetWidth: 50, targetHeight: 23, gray: false, sha: '6c215b76b76e5632' },
    { what: 'taller', width: 7, height: 5, targetWidth: 3, targetHeight: 5, gray: false, sha: 'abfa466d3def4bb9' },
    { what: 'mixed', width: 33, height: 21, targetWidth: 16, targetHeight: 63, gray: true, sha: 'fa5f00bff6e82da3' },
  ])('has the bytes that OpenCV makes when it gets $what', ({ sha, ...shape }) => {
    const out = resized(pattern(shape.width * shape.height * (shape.gray ? 1 : 3)), shape);
    expect(createHash('sha256').update(out).digest('hex').slice(0, 16)).toBe(sha);
  });

  test('is the interpolation by the book to within one step, whatever the sizes', () => {
    const side = fc.integer({ min: 1, max: 24 });
    const shapes = fc.record({ width: side, height: side, targetWidth: side, targetHeight: side, gray: fc.boolean() });
    const shapeAndBytes = shapes.chain((shape) => {
      const length = shape.width * shape.height * (shape.gray ? 1 : 3);
      return fc.tuple(fc.constant(shape), fc.uint8Array({ minLength: length, maxLength: length }));
    });
    fc.assert(
      fc.property(shapeAndBytes, ([shape, data]) => {
        const actual = resized(data, shape);
        const exact = interpolated(data, shape);
        expect(actual).toHaveLength(exact.length);
        for (const [at, value] of actual.entries()) {
          expect(Math.abs(value - (exact[at] as number))).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  test('of the same size is read in place', () => {
    const data = pattern(12);
    const rows = new PackedRows('rgb', 2, 2, 2, 2);
    rows.begin(data);
    rows.seek(1);
    expect(rows.bytes).toBe(data);
    expect(rows.offset).toBe(6);
  });

  test('says nothing of the picture before it', () => {
    const rows = new PackedRows('gray', 3, 3, 2, 2);
    const rowOf = (value: number): number[] => {
      rows.begin(new Uint8Array(9).fill(value));
      rows.seek(0);
      return [...rows.bytes];
    };
    expect(rowOf(200)).toEqual([200, 200]);
    expect(rowOf(10)).toEqual([10, 10]);
  });
});
