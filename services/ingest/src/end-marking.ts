/** The end marker of a run that is stopped is not waited for long. */

import { setTimeout as sleep } from 'node:timers/promises';

/** How long it may take. */
const STOP_LIMIT_MS = 3_000;

/** Whether it was published. Rejects where that failed and nobody stopped the run. @param stop aborts when the run is stopped. */
export async function inTime(marking: Promise<void>, stop: AbortSignal): Promise<boolean> {
  const limit = new AbortController();
  const late = async (): Promise<'late'> => {
    if (!stop.aborted) await new Promise((resolve) => stop.addEventListener('abort', resolve, { once: true }));
    await sleep(STOP_LIMIT_MS, undefined, { signal: limit.signal }).catch(() => undefined);
    return 'late';
  };
  const outcome = marking.then(() => 'marked' as const);
  outcome.catch(() => undefined);
  try {
    return (await Promise.race([outcome, late()])) === 'marked';
  } catch (error) {
    if (!stop.aborted) throw error;
    return false;
  } finally {
    limit.abort();
  }
}
