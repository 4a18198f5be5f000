import { expect, test } from 'vitest';
import { EpochYield } from './epoch-yield.ts';

const at = (n: number) => ({ n, atMs: 1_000 * n });

test('a file is given up after three epochs that came no further, and not for one that did', () => {
  const epochs = new EpochYield();
  epochs.note({ newest: at(5), decoded: 10 });
  epochs.note({ newest: at(4), decoded: 9 });
  epochs.note({ newest: at(4), decoded: 10 });
  expect([epochs.isFruitless, epochs.newest?.n]).toEqual([false, 5]);
  epochs.note({ newest: at(6), decoded: 11 });
  for (const decoded of [1, 11, 11]) epochs.note({ newest: undefined, decoded });
  expect([epochs.isFruitless, epochs.newest?.n]).toEqual([true, 6]);
});
