import { expect, test } from 'vitest';
import { PictureSizes } from './picture-sizes.ts';

const line = (number: number, width: number, height: number): string =>
  `[error] ${number * 2 ** 32 + width * 2 ** 16 + height}.000000`;

test('each picture has the size that was told for it, whichever of the two is read first', () => {
  const sizes = new PictureSizes();
  expect(sizes.read(line(1, 64, 48))).toBe(true);
  expect(sizes.get(sizes.next(true))).toEqual({ width: 64, height: 48 });
  expect(sizes.get(sizes.next(true))).toEqual({ width: 64, height: 48 });
  const second = sizes.next(false);
  expect(sizes.get(second)).toBeUndefined();
  sizes.read(`[Eval @ 0x55] ${line(2, 3_840, 2_160)}`);
  sizes.read(line(3, 64, 48));
  expect(sizes.get(second)).toEqual({ width: 3_840, height: 2_160 });
  expect(sizes.get(sizes.next(true))).toEqual({ width: 64, height: 48 });
});

test('a line that is lost costs its own size and no other', () => {
  const sizes = new PictureSizes();
  sizes.read(line(1, 64, 48));
  sizes.read(line(3, 32, 24));
  sizes.next(true);
  expect(sizes.get(sizes.next(false))).toBeUndefined();
  expect(sizes.get(sizes.next(true))).toEqual({ width: 32, height: 24 });
});

test('a complaint is no size', () => {
  const sizes = new PictureSizes();
  for (const text of [
    '[h264 @ 0x1] [error] Invalid NAL unit size (-1 > 551).',
    '',
    '[error] 12.5',
    '[error] x 1.000000',
  ])
    expect(sizes.read(text)).toBe(false);
});

test('a source that changes its size without end takes no memory for it', () => {
  const sizes = new PictureSizes();
  for (let number = 1; number <= 1_000; number += 1) sizes.read(line(number, number, 48));
  expect([sizes.get(1), sizes.get(1_000)]).toEqual([undefined, { width: 1_000, height: 48 }]);
});
