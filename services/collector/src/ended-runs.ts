/**
 * Runs whose end is stored, for as long as something of them may stand in RESULTS: the last result of each algorithm, which is its progress, and
 * the end. A scheduler that takes a stream asks for these of every run that it was told of, and forgets them when the registry has none of the
 * stream (EX-6), so that they go once that has been so for a while. Pure.
 */

import type { RunEnd } from '@stream-infer/core/result-record';

export type EndedRun = Pick<RunEnd, 'stream' | 'run'>;

/** Longer than news of the registry take to come; a scheduler that stood still for longer asks whether it still has the run. */
const REMAINS_MS = 60_000;

export class EndedRuns {
  readonly #remainsMs: number;
  /** By run: since when the registry has none of its stream, monotonic milliseconds; undefined while it has one. */
  readonly #goneSinceMs = new Map<string, { readonly ended: EndedRun; sinceMs: number | undefined }>();

  constructor(remainsMs = REMAINS_MS) {
    this.#remainsMs = remainsMs;
  }

  /** Its end is stored. Idempotent. */
  ended(ended: EndedRun): void {
    const key = keyOf(ended);
    if (!this.#goneSinceMs.has(key)) this.#goneSinceMs.set(key, { ended, sinceMs: undefined });
  }

  /** Those of which nothing is asked for any more, the first that ended first. */
  due(hasRunOf: (stream: string) => boolean, nowMs: number): EndedRun[] {
    const due: EndedRun[] = [];
    for (const one of this.#goneSinceMs.values()) {
      one.sinceMs = hasRunOf(one.ended.stream) ? undefined : (one.sinceMs ?? nowMs);
      if (one.sinceMs !== undefined && nowMs - one.sinceMs >= this.#remainsMs) due.push(one.ended);
    }
    return due;
  }

  /** It cannot go yet: others have their turn first. */
  delayed(ended: EndedRun): void {
    const key = keyOf(ended);
    const standing = this.#goneSinceMs.get(key);
    if (standing === undefined) return;
    this.#goneSinceMs.delete(key);
    this.#goneSinceMs.set(key, standing);
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
