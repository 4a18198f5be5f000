import { expect, test } from 'vitest';
import { FramePool, rawFrameCutter } from './raw-frames.ts';

const bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, i) => i % 251);

test.each([1, 3, 9, 10, 11, 25, 100])('frames of 10 bytes are cut out of chunks of %i', (length) => {
  const cutter = rawFrameCutter(10, new FramePool(10, 4));
  const stream = bytes(57);
  const frames: Uint8Array[] = [];
  for (let at = 0; at < stream.length; at += length) frames.push(...cutter.push(stream.subarray(at, at + length)));
  expect(frames.map((frame) => [...frame])).toEqual(
    [0, 1, 2, 3, 4].map((k) => [...stream.subarray(k * 10, k * 10 + 10)]),
  );
  expect(cutter.pending).toBe(7);
});

test('a frame is not a view of the chunk that it came in', () => {
  const chunk = bytes(10);
  const [frame] = rawFrameCutter(10, new FramePool(10, 1)).push(chunk);
  chunk.fill(0);
  expect(frame?.[3]).toBe(3);
});

test('a buffer given back is used again, but no more are kept than said', () => {
  const pool = new FramePool(4, 1);
  const [a, b] = [pool.take(), pool.take()];
  pool.give(a);
  pool.give(b);
  pool.give(new Uint8Array(3));
  expect(pool.take()).toBe(a);
  expect(pool.take()).not.toBe(b);
});
