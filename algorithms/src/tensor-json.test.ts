import fc from 'fast-check';
import { Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { assertWritable, shortestDecimal, tensorJson } from './tensor-json.ts';

const significantDigits = (value: number): number => value.toExponential().replace(/e.*|\D/g, '').length;

describe('the decimal of a float32', () => {
  test('is that float32 again, and the short one where there is one', () => {
    expect(shortestDecimal(Math.fround(0.1))).toBe(0.1);
    expect(shortestDecimal(Math.fround(16777217))).toBe(16777216);
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const decimal = shortestDecimal(value);
        expect(Math.fround(decimal) === value).toBe(true);
        const digits = significantDigits(decimal);
        expect(digits).toBeLessThanOrEqual(9);
        if (digits > 6) expect(Math.fround(Number(value.toPrecision(digits - 1))) === value).toBe(false);
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: -99999, max: 99999 }), fc.integer({ min: 0, max: 8 }), (digits, places) => {
        const short = digits / 10 ** places;
        expect(shortestDecimal(Math.fround(short))).toBe(short);
      }),
    );
  });
});

describe('an output as JSON', () => {
  test('has its dimensions and its elements, whatever their type', () => {
    const json = (tensor: Tensor) => tensorJson('x', tensor);
    expect(json(new Tensor('float32', Float32Array.of(0.1, -2), [2, 1]))).toEqual({ dims: [2, 1], data: [0.1, -2] });
    expect(json(new Tensor('int64', BigInt64Array.of(3n, -4n), [2]))).toEqual({ dims: [2], data: [3, -4] });
    expect(json(new Tensor('bool', Uint8Array.of(1, 0), [2]))).toEqual({ dims: [2], data: [true, false] });
    expect(json(new Tensor('string', ['a'], [1]))).toEqual({ dims: [1], data: ['a'] });
    expect(json(new Tensor('uint8', Uint8Array.of(7), []))).toEqual({ dims: [], data: [7] });
  });

  test.for([
    ['not a number', new Tensor('float32', Float32Array.of(1, Number.NaN), [2]), 'NaN'],
    ['infinite', new Tensor('float64', Float64Array.of(Number.POSITIVE_INFINITY), [1]), 'Infinity'],
    ['beyond exact integers', new Tensor('int64', BigInt64Array.of(2n ** 60n), [1]), '1152921504606846976'],
  ] as const)('an element that is %s is refused by the name of its output', ([, tensor, value]) => {
    expect(() => tensorJson('logits', tensor)).toThrowError(
      expect.objectContaining({ code: 'RESULT_NOT_JSON', message: expect.stringMatching(`"logits".*${value}`) }),
    );
  });

  test('more than 1 MiB of it is refused', () => {
    const large = (length: number, value: number): Tensor =>
      new Tensor('float32', new Float32Array(length).fill(value), [length]);
    const tooLarge = expect.objectContaining({ code: 'RESULT_TOO_LARGE', message: expect.stringContaining('"x"') });
    expect(() => tensorJson('x', large(600_000, 0))).toThrowError(tooLarge);
    expect(() => tensorJson('x', large(120_000, 0.12345678))).toThrowError(tooLarge);
    expect(tensorJson('x', large(120_000, 0)).data).toHaveLength(120_000);
  });

  test('what the shape alone shows to be too large is refused before anything runs', () => {
    const info = (shape: readonly (number | string)[], type = 'float32') => ({ name: 'x', type, shape });
    expect(() => assertWritable('/m', info([1, 1000, 1000]))).toThrowError(
      expect.objectContaining({ code: 'RESULT_TOO_LARGE' }),
    );
    expect(() => assertWritable('/m', info([1], 'float16'))).toThrowError(
      expect.objectContaining({ code: 'MODEL_SHAPE' }),
    );
    expect(() => assertWritable('/m', info(['n', 1000]))).not.toThrow();
  });
});
