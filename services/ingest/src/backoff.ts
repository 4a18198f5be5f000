/**
 * How long to wait before a lost source is opened again. Exponential with full jitter, so that cameras which were lost together do
 * not come back together; it begins anew only when told that the source held, so that one which opens and breaks is not hammered.
 *
 * Refused credentials are waited for in minutes and never shorter than said: cameras lock accounts after a few attempts. So is a name that
 * leads where nothing may be played, which asking sooner changes as little.
 */

import type { SourceReason } from '@stream-infer/core/source-state';

export type BackoffOptions = {
  /** The first wait is at most this long; each next one may be twice as long. */
  readonly minMs: number;
  /** No wait is longer. */
  readonly maxMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
};

/** Reasons that only somebody's doing ends. */
const REFUSALS: ReadonlySet<SourceReason> = new Set(['unauthorized', 'forbidden']);
const REFUSED_MIN_MS = 60_000;
const REFUSED_MAX_MS = 600_000;
/** By how much such a wait may be longer, so that the cameras of one account spread. */
const REFUSED_JITTER = 0.25;

export class Backoff {
  readonly #options: BackoffOptions;
  #losses = 0;
  #refusals = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** Milliseconds until the next attempt after a loss for this reason. */
  next(reason: SourceReason): number {
    const { minMs, maxMs, random } = this.#options;
    if (REFUSALS.has(reason)) {
      const bound = doubled(REFUSED_MIN_MS, this.#refusals, REFUSED_MAX_MS);
      this.#refusals += 1;
      return Math.min(REFUSED_MAX_MS, bound * (1 + REFUSED_JITTER * random()));
    }
    const bound = doubled(minMs, this.#losses, maxMs);
    this.#losses += 1;
    return bound * random();
  }

  /** The source held: the next loss is the first again. */
  reset(): void {
    this.#losses = 0;
    this.#refusals = 0;
  }
}

const doubled = (firstMs: number, times: number, mostMs: number): number => Math.min(mostMs, firstMs * 2 ** times);
