/**
 * Runs whose end is stored, for as long as something of them may stand in RESULTS: the last result of each algorithm, which is its progress, and
 * the end. Whoever asks for these asks for a run that is registered (EX-6), so that they go once the registry has had the run no more for a
 * while. Pure.
 */

import type { RunEnd } from '@stream-infer/core/result-record';

export type EndedRun = Pick<RunEnd, 'stream' | 'run'>;

/** Longer than a scheduler stands still without being succeeded, and than news of the registry take to come. */
const REMAINS_MS = 60_000;

export class EndedRuns {
  readonly #remainsMs: number;
  /** By run: since when the registry has it no more, monotonic milliseconds; undefined while it has it. */
  readonly #goneSinceMs = new Map<string, { readonly ended: EndedRun; sinceMs: number | undefined }>();

  constructor(remainsMs = REMAINS_MS) {
    this.#remainsMs = remainsMs;
  }

  /** Its end is stored. Idempotent. */
  ended(ended: EndedRun): void {
    const key = keyOf(ended);
    if (!this.#goneSinceMs.has(key)) this.#goneSinceMs.set(key, { ended, sinceMs: undefined });
  }

  /** Those of which nothing is asked for any more, the first that went first. */
  due(isRegistered: (run: EndedRun) => boolean, nowMs: number): EndedRun[] {
    const due: EndedRun[] = [];
    for (const one of this.#goneSinceMs.values()) {
      one.sinceMs = isRegistered(one.ended) ? undefined : (one.sinceMs ?? nowMs);
      if (one.sinceMs !== undefined && nowMs - one.sinceMs >= this.#remainsMs) due.push(one.ended);
    }
    return due;
  }

  /** Nothing of it is left. */
  removed(ended: EndedRun): void {
    this.#goneSinceMs.delete(keyOf(ended));
  }

  /** Forgets everything: RESULTS may be another. */
  clear(): void {
    this.#goneSinceMs.clear();
  }
}

const keyOf = ({ stream, run }: EndedRun): string => `${stream}.${run}`;
