import { expect, test } from 'vitest';
import { Bell } from './bell.ts';

test('a ring before the wait is not lost, and counts once', async () => {
  const bell = new Bell();
  bell.ring();
  bell.ring();
  expect(await bell.wait()).toBe(true);
  expect(await bell.wait(1)).toBe(false);
});

test('a ring ends a wait', async () => {
  const bell = new Bell();
  const waiting = bell.wait();
  bell.ring();
  expect(await waiting).toBe(true);
});
