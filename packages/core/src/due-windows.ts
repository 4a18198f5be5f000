/**
 * Which windows of an algorithm are due on a stream, and which of them a predecessor has answered (EX-6): what of a schedule follows
 * from numbers alone, whatever becomes of the windows.
 */

import type { FrameHistory, PublishedFrame } from './frame-history.ts';
import type { AlgorithmTotals } from './result-record.ts';
import type { PlannedAlgorithm } from './sample-plan.ts';
import type { UpstreamResult } from './upstream.ts';
import { filledFrom, oldestWanted, shapeOf, type Window, windowAt } from './window.ts';

/** What was published before this process took the stream over (EX-6). */
export type Progress = {
  readonly answeredThrough: number;
  readonly totals?: AlgorithmTotals;
  /** Where others come after it: what it said, by n, as far as they have not come. */
  readonly results?: ReadonlyMap<number, UpstreamResult>;
  /** Offline, for an algorithm with memory: windows behind this one are to be run again, though they are answered (EX-9). */
  readonly replayAfter?: number;
};

export type DueWindowsOptions = {
  readonly algorithm: PlannedAlgorithm;
  /** n of the first slot played. */
  readonly start: number;
  /** The first n at which its window, and those of all that it comes after, are filled. */
  readonly filledFrom: number;
  readonly progress: Progress;
  /** Where it is given, no other windows are due. */
  readonly only?: readonly number[];
};

export class DueWindows {
  readonly #algorithm: PlannedAlgorithm;
  readonly #filledFrom: number;
  readonly #progress: Progress;
  readonly #replayAfter: number;
  readonly #only: ReadonlySet<number> | undefined;
  #start: number;
  #come = 0;

  constructor({ algorithm, start, filledFrom: filled, progress, only }: DueWindowsOptions) {
    this.#algorithm = algorithm;
    this.#start = start;
    this.#filledFrom = filled;
    this.#progress = progress;
    this.#replayAfter = progress.replayAfter ?? progress.answeredThrough;
    this.#only = only && new Set(only);
  }

  /** Windows fill from slot n on: a live source was joined there. */
  startAt(n: number): void {
    this.#start = n;
  }

  /** The window that is due at the newest frame n, to be run for the first time or again; undefined where none is. */
  at<F extends PublishedFrame>(
    n: number,
    history: FrameHistory<F>,
  ): Exclude<Window<F>, { kind: 'unfilled' }> | undefined {
    if (n % this.#algorithm.intervalFrames !== 0 || n <= this.#replayAfter) return undefined;
    if (this.#only?.has(n) === false) return undefined;
    const window = windowAt(shapeOf(this.#algorithm), n, this.#start, history);
    if (window.kind === 'unfilled') return undefined;
    this.#come += 1;
    return window;
  }

  /** How many there have been so far, by the frames alone: whether or not what they come after has its result. */
  get come(): number {
    return this.#come;
  }

  /** So many were due whose frames were lost. */
  countMissed(count: number): void {
    this.#come += count;
  }

  /** Whether a predecessor has published its result. */
  isAnswered(n: number): boolean {
    return n <= this.#progress.answeredThrough;
  }

  /** What a predecessor published of window n, as far as it is known; `gone`: it must have published something. */
  published(n: number): UpstreamResult | 'gone' | undefined {
    const isDue = this.isAnswered(n) && n % this.#algorithm.intervalFrames === 0;
    return isDue ? (this.#progress.results?.get(n) ?? (n < this.#filledFrom ? undefined : 'gone')) : undefined;
  }

  /** How many that are not answered are due from `from` to `to`. */
  newWithin(from: number, to: number): number {
    return this.#countWithin(Math.max(from, this.#progress.answeredThrough + 1), to);
  }

  /** How many that are answered are to be run again from `from` to `to`. */
  againWithin(from: number, to: number): number {
    return this.#countWithin(Math.max(from, this.#replayAfter + 1), Math.min(to, this.#progress.answeredThrough));
  }

  /** Whether the first that is to be run again wants a frame up to n. */
  wantsAgain(n: number): boolean {
    const first = this.#firstAfter(Math.max(this.#replayAfter, this.#filledFrom - 1));
    return this.isAnswered(first) && oldestWanted(shapeOf(this.#algorithm), first, this.#start) <= n;
  }

  /** The oldest slot that the first one due after `lastN` wants. */
  neededFrom(lastN: number): number {
    return oldestWanted(shapeOf(this.#algorithm), this.#firstAfter(lastN), this.#start);
  }

  #firstAfter(n: number): number {
    const { intervalFrames } = this.#algorithm;
    return (Math.floor(n / intervalFrames) + 1) * intervalFrames;
  }

  #countWithin(from: number, to: number): number {
    const { intervalFrames } = this.#algorithm;
    const first = Math.max(from, filledFrom(this.#algorithm, this.#start));
    if (this.#only) return [...this.#only].filter((n) => n >= first && n <= to).length;
    return Math.max(0, Math.floor(to / intervalFrames) - Math.floor((first - 1) / intervalFrames));
  }
}
