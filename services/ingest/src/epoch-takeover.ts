/**
 * How an epoch takes the place of the one that plays beside it (EX-8, EX-10): once it has frames enough for the longest window, since windows do
 * not span epochs and none is to be missed for that. The buffer of the one before is kept until what is under way of it is answered.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { NewestFrame } from '@stream-infer/core/run';

/** An epoch of the run that plays while another opens the source beside it. */
export type Predecessor = {
  /** Undefined before its first. */
  readonly newest: NewestFrame | undefined;
  /** Another epoch of the run plays from now on. */
  succeed(): void;
};

/** Of another ingest, which hears of it from the registry; where its clock is ahead, its newest frame came now. */
export const elsewhere = ({ n, atMs }: NewestFrame): Predecessor => ({
  newest: { n, atMs: Math.min(atMs, Date.now()) },
  succeed: () => undefined,
});

export type TakeoverOptions = {
  readonly predecessor: Predecessor;
  /** Played frames that the longest window spans. */
  readonly span: number;
  /** Tells the registry that the run plays this epoch. False where another ingest has the run. */
  tell(): Promise<boolean>;
  /** Deletes the buffers of the epochs before. */
  forgetBefore(): Promise<void>;
  report(error: unknown): void;
  /** Aborts with the epoch. */
  readonly signal: AbortSignal;
};

/** How long frames for the longest window are waited for while the epoch before plays on. */
export const FILL_LIMIT_MS = 3_000;
const LINGER_MS = 2_000;

export class EpochTakeover {
  readonly #options: TakeoverOptions;
  /** Where the epoch goes on, and when by the monotonic clock. */
  #filling: { readonly fromN: number; readonly sinceMs: number } | undefined;
  /** `telling`: the registry is. */
  #state: 'beside' | 'telling' | 'over' = 'beside';

  constructor(options: TakeoverOptions) {
    this.#options = options;
  }

  /** To be called when frames have come. @param newest of them; undefined before the first that is played. */
  look(newest: NewestFrame | undefined): void {
    const { span, signal } = this.#options;
    if (newest === undefined || this.#state !== 'beside' || signal.aborted) return;
    this.#filling ??= { fromN: newest.n, sinceMs: performance.now() };
    const { fromN, sinceMs } = this.#filling;
    const isFull = newest.n - fromN >= span - 1;
    if (isFull || performance.now() - sinceMs >= FILL_LIMIT_MS) void this.#takeOver();
  }

  /** Where the registry cannot be told, it is tried again with a later frame. Never rejects. */
  async #takeOver(): Promise<void> {
    const { predecessor, tell, forgetBefore, report, signal } = this.#options;
    this.#state = 'telling';
    try {
      if (await tell()) {
        this.#state = 'over';
        predecessor.succeed();
        await sleep(LINGER_MS, undefined, { signal });
        // Where this fails, the next epoch does it.
        await forgetBefore();
      } else this.#state = 'over';
    } catch (error) {
      if (this.#state === 'telling') this.#state = 'beside';
      if (!signal.aborted) report(error);
    }
  }
}
