/**
 * Files that may be replaced at any time, read again when they change, so that nothing restarts. What cannot be read any more, or is no use, as in
 * the middle of being replaced, is told of once, and what was good before goes on to count.
 */

import { stat } from 'node:fs/promises';
import { type Fault, toFault } from '@stream-infer/core/fault';

export type WatchedFilesOptions<T> = {
  readonly paths: readonly string[];
  /** What they say together. Rejects with a fault where that is no use. */
  read(): Promise<T>;
  /** They say something else from now on. */
  changed(now: T): void;
  report(fault: Fault): void;
};

export type WatchedFiles<T> = {
  /** What they said when they could be read last. */
  readonly current: T;
  /** Idempotent. */
  close(): void;
};

const LOOK_MS = 1_000;

/** Rejects with what the first `read` does. */
export async function watchFiles<T>({
  paths,
  read,
  changed,
  report,
}: WatchedFilesOptions<T>): Promise<WatchedFiles<T>> {
  let state = await stateOf(paths);
  let current = await read();
  let told = '';
  let isLooking = false;
  const look = async (): Promise<void> => {
    const now = await stateOf(paths);
    if (now === state) return;
    current = await read();
    state = now;
    told = '';
    changed(current);
  };
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    void look()
      .catch((error: unknown) => {
        const fault = toFault(error, 'CREDENTIALS_INVALID', `${paths.join(', ')} cannot be read`);
        if (fault.message !== told) report(fault);
        told = fault.message;
      })
      .finally(() => {
        isLooking = false;
      });
  }, LOOK_MS).unref();
  return {
    get current() {
      return current;
    },
    close: () => clearInterval(timer),
  };
}

/** Changes with each of the files: also where a link leads to another, as a mounted Secret's does. */
async function stateOf(paths: readonly string[]): Promise<string> {
  const states = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        ({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`,
        () => 'none',
      ),
    ),
  );
  return states.join();
}
