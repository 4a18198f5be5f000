/** Work that is done again and again, never twice at once. */

import { setTimeout } from 'node:timers/promises';

/** Does the work each `intervalMs` until the signal aborts; rejects with what it rejects with. */
export async function periodically(intervalMs: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await setTimeout(intervalMs, undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) await work();
  }
}
