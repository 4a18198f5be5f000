/**
 * What became of the published frames of one epoch, as its scheduler sees them: those that it read, until nothing wants them any more, and
 * those that it never came to read. The i-th message of an epoch has sequence i, so that what is missing is counted exactly (EX-1, I1).
 */

import { type Fated, type FrameFate, frameFate } from './fate.ts';
import type { PublishedFrame } from './frame-history.ts';
import type { Outcome } from './ledger.ts';
import type { Holder } from './ledger-book.ts';

const USED: Fated<FrameFate> = { fate: 'used', reason: '' };
const NO_WINDOW: Fated<FrameFate> = { fate: 'not-needed', reason: 'no-window' };
const EVICTED: Fated<FrameFate> = { fate: 'evicted', reason: 'unread' };
const GAP: Fated<FrameFate> = { fate: 'gap', reason: 'unread' };
const EPOCH_OVER: Fated<FrameFate> = { fate: 'expired', reason: 'epoch-over' };

export type FrameAccountOptions = {
  /** How many frames the buffer holds before it drops its oldest; Infinity offline, where it drops none. */
  readonly capacity: number;
  /**
   * The newest sequence that a predecessor has accounted for, 0 where there was none; undefined where it is not known: then what is
   * missing before the first frame is the predecessor's.
   */
  readonly through: number | undefined;
  /** Frames with an n up to this are a predecessor's. */
  readonly throughN: number;
  /** Told of frames as they are known of, and of their fates; each once. */
  entered(count: number): void;
  settled(fated: Fated<FrameFate>, count: number): void;
};

export class FrameAccount implements Holder {
  readonly #options: FrameAccountOptions;
  /** Read and still wanted, by sequence, with what became of a window that held it. */
  readonly #open = new Map<number, Fated<FrameFate> | undefined>();
  #through: number | undefined;
  #newest: PublishedFrame | undefined;

  constructor(options: FrameAccountOptions) {
    this.#options = options;
    this.#through = options.through;
  }

  /** The newest frame that was read. */
  get newest(): PublishedFrame | undefined {
    return this.#newest;
  }

  /** Frames that are read and not let go of, which happens in order. */
  get open(): number {
    return this.#open.size;
  }

  /** @param newest sequence of the newest message in the buffer when this one was delivered. */
  read({ n, sequence }: PublishedFrame, newest: number): void {
    const { throughN, entered } = this.#options;
    this.#missing(sequence, newest);
    this.#newest = { n, sequence };
    if (n <= throughN) return;
    entered(1);
    this.#open.set(sequence, undefined);
  }

  /** The end marker was read: nothing comes after it. */
  end(sequence: number, newest: number): void {
    this.#missing(sequence, newest);
  }

  /** A window that held these frames is over. A frame that was used stays so; else the last window tells. */
  windowOver(frames: readonly PublishedFrame[], outcome: Outcome): void {
    const fated = frameFate(outcome);
    for (const { sequence } of frames)
      if (this.#open.has(sequence) && this.#open.get(sequence)?.fate !== 'used')
        this.#open.set(sequence, fated.fate === 'used' ? USED : fated);
  }

  /** Nothing wants the frame any more. */
  letGo({ sequence }: PublishedFrame): void {
    if (!this.#open.has(sequence)) return;
    this.#options.settled(this.#open.get(sequence) ?? NO_WINDOW, 1);
    this.#open.delete(sequence);
  }

  /** Nothing more is read of the epoch. @param isRunOver whether the run is over; else windows might have come that want its frames. */
  close(isRunOver: boolean): void {
    for (const fated of this.#open.values()) this.#options.settled(fated ?? (isRunOver ? NO_WINDOW : EPOCH_OVER), 1);
    this.#open.clear();
  }

  #missing(sequence: number, newest: number): void {
    const missing = this.#through === undefined ? 0 : sequence - 1 - this.#through;
    const evicted = Math.min(missing, Math.max(0, newest - this.#options.capacity - (this.#through ?? 0)));
    this.#through = Math.max(sequence, this.#through ?? 0);
    if (missing <= 0) return;
    this.#options.entered(missing);
    if (evicted > 0) this.#options.settled(EVICTED, evicted);
    if (missing > evicted) this.#options.settled(GAP, missing - evicted);
  }
}
