import { expect, test } from 'vitest';
import { Liveness } from './liveness.ts';

const liveness = () => new Liveness({ leaseMs: 3_000, pauseMs: 1_000, buryMs: 60_000 });

/** Looks every 250 ms from one time to another, and returns what the last look saw. */
function lookUntil(watcher: Liveness, fromMs: number, toMs: number, canHear = true): readonly string[] {
  let live: readonly string[] = [];
  for (let nowMs = fromMs; nowMs <= toMs; nowMs += 250) live = watcher.look(nowMs, canHear);
  return live;
}

test('whoever is not heard for a lease is dead, whoever says goodbye at once, and one that beats again lives (L-1)', () => {
  const watcher = liveness();
  watcher.heard('b', 0);
  watcher.heard('a', 0);
  expect(lookUntil(watcher, 0, 2_750)).toEqual(['a', 'b']);
  watcher.heard('a', 2_750);
  expect(lookUntil(watcher, 3_000, 3_000)).toEqual(['a']);
  watcher.heard('b', 3_100);
  expect(lookUntil(watcher, 3_250, 3_250)).toEqual(['a', 'b']);
  watcher.forget('a');
  expect(lookUntil(watcher, 3_500, 3_500)).toEqual(['b']);
});

test('a watcher that was stopped, or could not hear, holds it against nobody', () => {
  const paused = liveness();
  paused.heard('a', 0);
  lookUntil(paused, 0, 500);
  expect(paused.look(60_000, true)).toEqual(['a']);
  expect(lookUntil(paused, 60_250, 62_750)).toEqual(['a']);
  expect(paused.look(63_000, true)).toEqual([]);

  const away = liveness();
  away.heard('a', 0);
  expect(lookUntil(away, 0, 10_000, false)).toEqual(['a']);
  expect(lookUntil(away, 10_250, 12_750)).toEqual(['a']);
  expect(away.look(13_000, true)).toEqual([]);
});

test('one that has been dead for long is buried, and nobody for the time in which the watcher could not hear', () => {
  const watcher = liveness();
  watcher.heard('a', 0);
  watcher.heard('b', 0);
  lookUntil(watcher, 0, 59_000);
  watcher.heard('b', 59_000);
  lookUntil(watcher, 59_250, 59_750);
  expect(watcher.buried).toEqual([]);
  lookUntil(watcher, 60_000, 60_000);
  expect(watcher.buried).toEqual(['a']);
  watcher.forget('a');
  expect(watcher.buried).toEqual([]);
  lookUntil(watcher, 60_250, 118_750);
  lookUntil(watcher, 119_000, 119_000, false);
  expect(watcher.buried).toEqual([]);
});
