import { expect, test } from 'vitest';
import { EpochYield } from './epoch-yield.ts';

test('a file is given up after three epochs that came no further, and not for one that did', () => {
  const epochs = new EpochYield();
  epochs.note({ lastPlayed: 5, decoded: 10 });
  epochs.note({ lastPlayed: 4, decoded: 9 });
  epochs.note({ lastPlayed: 4, decoded: 10 });
  expect([epochs.isFruitless, epochs.lastPlayed]).toEqual([false, 5]);
  epochs.note({ lastPlayed: 6, decoded: 11 });
  for (const decoded of [1, 11, 11]) epochs.note({ lastPlayed: 1, decoded });
  expect([epochs.isFruitless, epochs.lastPlayed]).toEqual([true, 6]);
});
