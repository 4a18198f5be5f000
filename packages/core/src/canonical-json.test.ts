import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from './canonical-json.ts';

describe('canonical JSON', () => {
  test('is the RFC 8785 spelling of its own example (R-5)', () => {
    const value = {
      numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001, -0],
      string: '\u20ac$\u000f\nA\'B"\\\\"/',
      literals: [null, true, false],
    };
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27,0],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  test('sorts keys by UTF-16 code units, also those that look like numbers', () => {
    expect(canonicalJson({ b: 1, 10: 2, 9: 3, A: 4, '\u{1f600}': 5, '\ufb33': 6 })).toBe(
      '{"10":2,"9":3,"A":4,"b":1,"\u{1f600}":5,"\ufb33":6}',
    );
  });

  test('holds the value, and equal values are equal bytes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });

  test('writes an object that stands twice, which is no cycle', () => {
    const box = [1, 2];
    expect(canonicalJson({ a: box, b: box })).toBe('{"a":[1,2],"b":[1,2]}');
  });
});

describe('what JSON cannot hold is refused with its place', () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = [cycle];
  const deep = Array.from({ length: 5_000 }).reduce<unknown>((inner) => [inner], 0);
  const refused: [string, unknown, RegExp][] = [
    ['NaN', { scores: [1, Number.NaN] }, /NaN at \$\.scores\[1\]:/],
    ['Infinity', Number.NEGATIVE_INFINITY, /-Infinity at \$:/],
    ['undefined', { a: { 'b c': undefined } }, /undefined at \$\.a\["b c"\]:/],
    ['nothing at all', undefined, /undefined at \$:/],
    ['a hole', Array(1), /undefined at \$\[0\]:/],
    ['a function', [() => 1], /a function at \$\[0\]:/],
    ['a bigint', { n: 1n }, /a bigint at \$\.n:/],
    ['a symbol', { s: Symbol('x') }, /a symbol at \$\.s:/],
    ['a symbol as a key', { s: { [Symbol('x')]: 1 } }, /a symbol for a key at \$\.s:/],
    ['a cycle', cycle, /a cycle at \$\.self\[0\]:/],
    ['a typed array', { boxes: new Float32Array(4) }, /a Float32Array at \$\.boxes:/],
    ['a map', new Map([[1, 2]]), /a Map at \$:/],
    ['a date', { at: new Date(0) }, /a Date at \$\.at:/],
    ['half a character', ['\ud800'], /surrogate pair at \$\[0\]:/],
    ['too deep a nest', deep, /nested deeper than 1000/],
  ];
  test.each(refused)('%s', (_, value, message) => {
    expect(() => canonicalJson(value)).toThrow(expect.objectContaining({ code: 'RESULT_NOT_JSON' }));
    expect(() => canonicalJson(value)).toThrow(message);
  });
});
