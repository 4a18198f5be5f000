import { describe, expect, test } from 'vitest';
import { stackPlace, thrownMessage } from './stack-place.ts';

const withStack = (...lines: string[]): Error =>
  Object.assign(new Error('odd'), { stack: ['Error: odd (at night)', ...lines].join('\n') });

describe('where something was thrown', () => {
  test('is the first place in a file of the author', () => {
    const place = stackPlace(
      withStack(
        '    at readFileSync (node:fs:441:20)',
        '    at parse (file:///app/node_modules/yaml/index.js:3:9)',
        '    at async Counter.init (file:///home/me/my algorithms/counter.mjs:7:11)',
        '    at file:///app/worker.ts:1:1',
      ),
    );
    expect(place).toBe('/home/me/my algorithms/counter.mjs:7:11');
  });

  test('is a path without a scheme too, and without a function', () => {
    expect(stackPlace(withStack('    at /home/me/counter.cjs:3:4'))).toBe('/home/me/counter.cjs:3:4');
    expect(stackPlace(withStack('    at new Counter (/home/me/counter.cjs:3:4)'))).toBe('/home/me/counter.cjs:3:4');
  });

  test('is unknown where no file of the author is named', () => {
    expect(stackPlace(withStack('    at readFileSync (node:fs:441:20)'))).toBeUndefined();
    expect(stackPlace('thrown')).toBeUndefined();
  });
});

describe('what was thrown', () => {
  test('is its message, else its name, else itself', () => {
    expect(thrownMessage(new TypeError('not a frame'))).toBe('not a frame');
    expect(thrownMessage(Object.assign(new TypeError('x'), { message: '' }))).toBe('TypeError');
    expect(thrownMessage(undefined)).toBe('undefined');
    expect(thrownMessage('no')).toBe('no');
  });
});
