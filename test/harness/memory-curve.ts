/** The memory of a command and all below it, twice a second for as long as it runs. Linux only. */

import { setTimeout as sleep } from 'node:timers/promises';
import { descendants } from './process-tree.ts';
import { pssKiB } from './process-usage.ts';

const SAMPLE_MS = 500;

export type MemoryCurve = {
  /** MiB by sample, oldest first, once the command has ended. */
  ended(): Promise<readonly number[]>;
};

export function recordMemory(root: number): MemoryCurve {
  const recording = record(root);
  return { ended: () => recording };
}

async function record(root: number): Promise<readonly number[]> {
  const curve: number[] = [];
  for (;;) {
    const below = await descendants(root);
    const sizes = await Promise.all([root, ...below.map(({ pid }) => pid)].map(pssKiB));
    if (sizes[0] === 0) return curve;
    curve.push(sizes.reduce((sum, size) => sum + size, 0) / 1024);
    await sleep(SAMPLE_MS);
  }
}
