import { Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { tensorJson } from './tensor-json.ts';
import { tensorRow } from './tensor-row.ts';

test.each([
  ['float32', Float32Array.of(1, 2, 3, 4, 5, 6), [3, 4]],
  ['int64', BigInt64Array.of(1n, 2n, 3n, 4n, 5n, 6n), [3, 4]],
  ['bool', Uint8Array.of(1, 0, 1, 0, 1, 1), [true, false]],
  ['string', ['a', 'b', 'c', 'd', 'e', 'f'], ['c', 'd']],
] as const)('a row of %s is what its window alone would have got', (type, data, row) => {
  const tensor = new Tensor(type, data as Tensor.DataType, [3, 1, 2]);
  expect(tensorJson('out', tensorRow('out', tensor, 1, 3))).toEqual({ dims: [1, 1, 2], data: row });
});

test('of one window the whole output is its own, whatever its first axis is', () => {
  const tensor = new Tensor('float32', Float32Array.of(1, 2), [2]);
  expect(tensorRow('out', tensor, 0, 1)).toBe(tensor);
});

test('an output with another number of rows than windows is refused', () => {
  const tensor = new Tensor('float32', Float32Array.of(1, 2), [1, 2]);
  expect(() => tensorRow('out', tensor, 0, 4)).toThrow(/"out" \[1, 2\] has not one row for each of 4 windows/);
});
