import { expect, test } from 'vitest';
import { Standstill } from './standstill.ts';

const moving = { held: 1, done: 0, canMove: true };

test('what is held while nothing comes of it stands still from the first look on', () => {
  const standstill = new Standstill();
  expect([1_000, 2_000, 61_000].map((nowMs) => standstill.look(nowMs, moving))).toEqual([0, 1_000, 60_000]);
});

test('it moves when anything comes of it', () => {
  const standstill = new Standstill();
  standstill.look(0, moving);
  expect(standstill.look(60_000, { ...moving, done: 1 })).toBe(0);
  expect(standstill.look(61_000, { ...moving, done: 1 })).toBe(1_000);
});

test('who holds nothing waits: a camera that is away is no standstill', () => {
  const standstill = new Standstill();
  standstill.look(0, moving);
  expect(standstill.look(60_000, { ...moving, held: 0 })).toBe(0);
  expect(standstill.look(600_000, { ...moving, held: 0 })).toBe(0);
});

test('time in which another keeps it from moving does not count', () => {
  const standstill = new Standstill();
  standstill.look(0, moving);
  expect(standstill.look(60_000, { ...moving, canMove: false })).toBe(0);
  expect(standstill.look(70_000, moving)).toBe(10_000);
});
