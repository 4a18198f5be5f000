/**
 * The runner in the registry (G-1): put when it can take work, again each second, deleted before it drains. Schedulers take a runner
 * whose beat stands still for dead (D11).
 */

import type { Bucket } from '@stream-infer/bus/bucket';
import type { RunnerRegistration } from '@stream-infer/bus/registry';
import { type Fault, toFault } from '@stream-infer/core/fault';

export type Registration = {
  /** Milliseconds since the last beat that the bus took. */
  ageMs(): number;
  /** Milliseconds since the last beat that was tried. */
  triedAgeMs(): number;
  /** Deletes the key; idempotent. */
  stop(): Promise<void>;
};

export type RegistrationOptions = {
  readonly runners: Bucket<RunnerRegistration>;
  readonly id: string;
  /** What it serves and where, asked for with each beat. */
  runner(): Omit<RunnerRegistration, 'id' | 'beat'>;
  /** Called with the first of several beats in a row that the bus did not take. */
  missed(fault: Fault): void;
};

const BEAT_MS = 1_000;

/** Resolves when the first beat stands in the registry; rejects with BUS_FAILED where it cannot. */
export async function register({ runners, id, runner, missed }: RegistrationOptions): Promise<Registration> {
  let beat = 0;
  let lastBeatAt = 0;
  let lastTryAt = 0;
  const put = async (): Promise<void> => {
    lastTryAt = performance.now();
    await runners.put(id, { id, ...runner(), beat });
    beat += 1;
    lastBeatAt = performance.now();
  };
  const failure = (error: unknown): Fault =>
    toFault(error, 'BUS_FAILED', `runner ${id} could not be put into the registry`);
  await put().catch((error: unknown) => {
    throw failure(error);
  });

  const stopped = new AbortController();
  let missing = false;
  const beating = (async () => {
    while (await sleep(BEAT_MS, stopped.signal)) {
      await put().then(
        () => {
          missing = false;
        },
        (error: unknown) => {
          if (!missing) missed(failure(error));
          missing = true;
        },
      );
    }
  })();
  let deleted: Promise<void> | undefined;
  return {
    ageMs: () => performance.now() - lastBeatAt,
    triedAgeMs: () => performance.now() - lastTryAt,
    stop() {
      deleted ??= (async () => {
        stopped.abort();
        await beating;
        // Without the bus nobody reads the key; it stands still, which says the same.
        await runners.delete(id).catch(() => undefined);
      })();
      return deleted;
    },
  };
}

/** False once the signal aborts. */
function sleep(durationMs: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(false);
    const abort = (): void => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve(true);
    }, durationMs);
    signal.addEventListener('abort', abort, { once: true });
  });
}
