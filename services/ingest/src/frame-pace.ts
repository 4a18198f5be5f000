/** Holds frames back until it is their time, for a file that plays at its natural rate from somewhere in its middle. */

import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves when a frame at this presentation time is due; the first frame is due at once. */
export function framePace(signal: AbortSignal): (presentationSeconds: number) => Promise<void> {
  let beginning: { readonly atMs: number; readonly seconds: number } | undefined;
  return async (presentationSeconds) => {
    beginning ??= { atMs: performance.now(), seconds: presentationSeconds };
    const dueMs = beginning.atMs + (presentationSeconds - beginning.seconds) * 1_000;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await sleep(waitMs, undefined, { signal }).catch(() => undefined);
  };
}
