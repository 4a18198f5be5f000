import { expect, test } from 'vitest';
import { WorkerCells } from './worker-cells.ts';

test('a window is begun or taken back, by the first that asks', () => {
  const runner = new WorkerCells();
  const thread = new WorkerCells(runner.memory);
  runner.offer(1);
  runner.offer(2);
  expect(thread.claim(1)).toBe(true);
  expect(runner.claim(1)).toBe(false);
  expect(runner.claim(2)).toBe(true);
  expect(thread.claim(2)).toBe(false);
  runner.offer(3);
  expect(thread.claim(3)).toBe(true);
});

test('a native module is known to the runner at once', () => {
  const runner = new WorkerCells();
  expect(runner.native).toBe(false);
  new WorkerCells(runner.memory).markNative();
  expect(runner.native).toBe(true);
});
