import { expect, test } from 'vitest';
import { Order } from './order.ts';

test('answers come out in the order in which windows were sent, each once', () => {
  const order = new Order<string>();
  for (const n of [3, 6, 9]) order.expect(n);
  order.answer(9, 'c');
  order.answer(6, 'b');
  expect(order.ready()).toEqual([]);
  order.answer(3, 'a');
  expect(order.ready()).toEqual(['a', 'b', 'c']);
  expect(order.ready()).toEqual([]);
  expect([3, 6, 9].some((n) => order.has(n))).toBe(false);
});

test('a window that is given up holds nothing back', () => {
  const order = new Order<string>();
  for (const n of [1, 2, 3]) order.expect(n);
  order.answer(2, 'b');
  order.drop(1);
  expect(order.ready()).toEqual(['b']);
  expect([1, 2, 3].map((n) => order.has(n))).toEqual([false, false, true]);
});

test('a second answer, and one that nobody awaits, are refused', () => {
  const order = new Order<string>();
  order.expect(1);
  order.answer(1, 'a');
  expect(() => order.answer(1, 'again')).toThrow(RangeError);
  expect(() => order.drop(2)).toThrow(RangeError);
  expect(() => order.expect(1)).toThrow(RangeError);
});
