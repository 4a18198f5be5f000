import { expect, test } from 'vitest';
import { BUILT_IN_ALGORITHMS, type BuiltInName, isBuiltInName } from './registry.ts';

test('every built-in name leads to a class with a run method', async () => {
  const names = Object.keys(BUILT_IN_ALGORITHMS) as BuiltInName[];
  expect(names.toSorted()).toEqual(['byte-track', 'crop-onnx', 'frame-stats', 'onnx', 'onnx-detector']);
  for (const name of names) {
    const { default: Algorithm } = await BUILT_IN_ALGORITHMS[name]();
    expect(new Algorithm().run).toBeTypeOf('function');
  }
});

test('only built-in names are built in', () => {
  expect(isBuiltInName('onnx-detector')).toBe(true);
  expect(isBuiltInName('./counter.mjs')).toBe(false);
  expect(isBuiltInName('toString')).toBe(false);
});
