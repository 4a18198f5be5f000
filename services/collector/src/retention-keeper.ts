/** Applies the retention to the store, a step at a time, so that results go on being stored between the steps. */

import { setImmediate } from 'node:timers/promises';
import type { ResultRemoval, StoreUpkeep } from './result-store.ts';
import { type RetentionLimits, retentionCutoffMs, retentionStep, surplusBytes } from './retention.ts';

const STEP_RESULTS = 250;
const SHRINK_BYTES = 4 * 2 ** 20;

export type RetentionOptions = {
  readonly limits: RetentionLimits;
  readonly nowMs: number;
  readonly signal: AbortSignal;
  /** Called after each step. */
  onRemoved(reason: 'age' | 'bytes', results: number): void;
};

/** Removes what the limits ask for at this time, and gives the space back to the file system. */
export async function applyRetention(
  store: ResultRemoval & Pick<StoreUpkeep, 'size' | 'shrink'>,
  { limits, nowMs, signal, onRemoved }: RetentionOptions,
): Promise<void> {
  while (!signal.aborted) {
    const { usedBytes } = await store.size();
    const state = { usedBytes, oldestStoredAtMs: await store.oldestStoredAtMs() };
    const step = retentionStep(limits, state, nowMs);
    if (step.kind === 'none') break;
    const beforeMs = step.kind === 'age' ? step.beforeMs : undefined;
    const { removed, through } = await store.removeOldest(STEP_RESULTS, beforeMs);
    if (removed === 0) break;
    await store.forgetRuns({ endedThrough: through });
    onRemoved(step.kind, removed);
    await setImmediate();
  }
  await store.forgetRuns({ endedBeforeMs: retentionCutoffMs(limits, nowMs) });
  for (let surplus = surplusBytes(await store.size()); surplus > 0 && !signal.aborted; ) {
    await store.shrink(Math.min(surplus, SHRINK_BYTES));
    await setImmediate();
    const left = surplusBytes(await store.size());
    // A file that another program made may not be one that shrinks.
    if (left >= surplus) break;
    surplus = left;
  }
}
