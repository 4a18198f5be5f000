import { expect, test } from 'vitest';
import { InputBuffer } from './input-buffer.ts';

test('an input of the same dimensions is the same memory, a smaller one a part of it', () => {
  const buffer = new InputBuffer('float32');
  const first = buffer.take([1, 3, 4, 4]);
  expect(first.data).toHaveLength(48);
  expect(buffer.take([1, 3, 4, 4]).tensor).toBe(first.tensor);
  const smaller = buffer.take([1, 3, 2, 2]);
  expect(smaller.data).toHaveLength(12);
  expect(smaller.data.buffer).toBe(first.data.buffer);
  expect(smaller.tensor.dims).toEqual([1, 3, 2, 2]);
  expect(buffer.take([4, 4, 3, 1]).data.buffer).toBe(first.data.buffer);
});

test('a larger input gets larger memory, of the type asked for', () => {
  const buffer = new InputBuffer('uint8');
  buffer.take([2]);
  const larger = buffer.take([2, 3]);
  expect(larger.data).toBeInstanceOf(Uint8Array);
  expect(larger.data).toHaveLength(6);
  expect(larger.tensor.type).toBe('uint8');
});
