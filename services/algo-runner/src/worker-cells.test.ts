import { expect, test } from 'vitest';
import { WorkerCells } from './worker-cells.ts';

test('a batch is begun or taken back, by the first that asks', () => {
  const runner = new WorkerCells();
  const thread = new WorkerCells(runner.memory);
  runner.offer(0, 1);
  runner.offer(1, 2);
  expect(thread.claim(0, 1)).toBe(true);
  expect(runner.claim(0, 1)).toBe(false);
  expect(runner.claim(1, 2)).toBe(true);
  expect(thread.claim(1, 2)).toBe(false);
  runner.offer(0, 3);
  expect(thread.claim(0, 3)).toBe(true);
});

test('batches that are handed over and taken back one after the other do not touch one that is not begun yet', () => {
  const runner = new WorkerCells();
  const thread = new WorkerCells(runner.memory);
  runner.offer(0, 1);
  runner.offer(1, 2);
  expect(runner.claim(1, 2)).toBe(true);
  runner.offer(1, 3);
  expect([thread.claim(0, 1), thread.claim(1, 2), thread.claim(1, 3)]).toEqual([true, false, true]);
});

test('a native module is known to the runner at once', () => {
  const runner = new WorkerCells();
  expect(runner.native).toBe(false);
  new WorkerCells(runner.memory).markNative();
  expect(runner.native).toBe(true);
});
