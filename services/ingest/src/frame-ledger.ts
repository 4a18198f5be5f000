/**
 * What becomes of each decoded frame, by its number and presentation time (I1). ffmpeg writes a line for each frame that it
 * decodes and one for each that it selects (D4); the ledger numbers the former by the plan, so that n never depends on ffmpeg's
 * arithmetic, and faults where ffmpeg selected another frame than the plan does.
 */

import { Fault } from '@stream-infer/core/fault';
import type { Rational } from '@stream-infer/core/rational';
import { isNeeded, nOfIndex, type SamplePlan, slotOf } from '@stream-infer/core/sample-plan';

/** Fates of frames that are not converted; those that are go on to the tally (frame-tally.ts). */
export type UnpublishedFate = 'before-start' | 'skipped' | 'not-needed';

/** A frame on its way out of ffmpeg. */
export type LedgerEntry = {
  readonly n: number;
  readonly sourceIndex: number;
  /** Undefined where the source gives the frame no time. */
  readonly ptsTicks: number | undefined;
  /** False for a frame that comes out only because no expression could hold it back. */
  readonly needed: boolean;
  /** Monotonic clock when the line about it arrived, in milliseconds. */
  readonly arrivedAtMs: number;
  /** Which of the sizes that its source has had (picture-sizes.ts). */
  readonly sizeNumber: number;
};

export type LedgerOptions = {
  readonly plan: SamplePlan;
  readonly timeBase: Rational;
  /** Whether ffmpeg holds back what is not needed; otherwise every decoded frame comes out. */
  readonly selective: boolean;
  /** Sampling by time: the number of the first frame's slot, which is 1 unless an epoch goes on with a run (EX-8). */
  readonly firstSlot?: number;
  /** Sampling by time: where that slot begins, in ticks; with the first frame, where it is not given. */
  readonly originTicks?: number | undefined;
  /** Told of each decoded frame before it is numbered; what it throws ends the epoch. */
  readonly inspect?: (ptsTicks: number | undefined, arrivedAtMs: number) => void;
};

export class FrameLedger {
  readonly fates: Record<UnpublishedFate, number> = { 'before-start': 0, skipped: 0, 'not-needed': 0 };
  decoded = 0;
  played = 0;
  /** Frames to be published that came out. */
  handedOut = 0;
  /** n of the newest played frame, 0 before the first. */
  lastPlayed = 0;
  /** When it came, as it was told. */
  playedAtMs = 0;
  firstPtsTicks: number | undefined;
  lastPtsTicks: number | undefined;
  /** Where the first frame is missing from a constant rate. */
  firstLossTicks: number | undefined;

  readonly #options: LedgerOptions;
  readonly #periodTicks: number;
  /** Decoded and to come out; the selected line not seen yet. */
  readonly #expected: Omit<LedgerEntry, 'sizeNumber'>[] = [];
  /** Selected lines that were read before the decoded line of the same frame. */
  readonly #early: { readonly ptsTicks: number | undefined; readonly sizeNumber: number }[] = [];
  /** Both lines seen; the picture not read yet. */
  readonly #confirmed: LedgerEntry[] = [];
  /** Newest slot that had a frame, sampling by time. */
  #lastSlot = 0;

  constructor(options: LedgerOptions) {
    this.#options = options;
    const { plan, timeBase } = options;
    this.#periodTicks = (timeBase.den * plan.sourceFps.den) / (timeBase.num * plan.sourceFps.num);
  }

  /** A line about a decoded frame: its number as ffmpeg counts, and its time. Throws INTERNAL where frames were missed. */
  countDecoded(index: number, ptsTicks: number | undefined, arrivedAtMs: number): void {
    if (index !== this.decoded)
      throw disagreement(`frame ${index} was decoded where frame ${this.decoded} was to come next`);
    this.#options.inspect?.(ptsTicks, arrivedAtMs);
    this.decoded += 1;
    this.#noteTime(ptsTicks);
    const { plan, selective } = this.#options;
    const n = plan.sampling === 'index' ? this.#byIndex(index) : this.#bySlot(ptsTicks);
    const needed = n !== undefined && isNeeded(plan, n);
    if (n !== undefined) {
      this.played += 1;
      this.lastPlayed = n;
      this.playedAtMs = arrivedAtMs;
      if (!needed) this.fates['not-needed'] += 1;
    }
    if (needed || !selective) this.#expected.push({ n: n ?? 0, sourceIndex: index, ptsTicks, needed, arrivedAtMs });
    this.#confirm();
  }

  /** A line about a selected frame. Throws INTERNAL where the plan selects another. */
  countSelected(ptsTicks: number | undefined, sizeNumber = 1): void {
    this.#early.push({ ptsTicks, sizeNumber });
    this.#confirm();
  }

  /** The next frame whose picture is to be read, undefined until both of its lines have been. */
  take(): LedgerEntry | undefined {
    const entry = this.#confirmed.shift();
    if (entry?.needed) this.handedOut += 1;
    return entry;
  }

  /** How many frames that are to be published have not come out yet. */
  get pending(): number {
    return [...this.#expected, ...this.#confirmed].filter(({ needed }) => needed).length;
  }

  /** How many frames have not come out: none, once all that ffmpeg wrote has been read. */
  get outstanding(): number {
    return this.#confirmed.length + this.#expected.length + this.#early.length;
  }

  /** Where the next frame would be at a constant rate. */
  get nextTicks(): number | undefined {
    return this.lastPtsTicks === undefined ? undefined : Math.round(this.lastPtsTicks + this.#periodTicks);
  }

  #noteTime(ptsTicks: number | undefined): void {
    if (ptsTicks === undefined) return;
    const { plan } = this.#options;
    const before = this.lastPtsTicks;
    if (plan.sampling === 'index' && before !== undefined && ptsTicks - before > 1.5 * this.#periodTicks)
      this.firstLossTicks ??= this.nextTicks;
    this.firstPtsTicks ??= ptsTicks;
    this.lastPtsTicks = ptsTicks;
  }

  #byIndex(index: number): number | undefined {
    const n = nOfIndex(this.#options.plan, index);
    if (n === undefined) this.fates[index < this.#options.plan.startIndex ? 'before-start' : 'skipped'] += 1;
    return n;
  }

  #bySlot(ptsTicks: number | undefined): number | undefined {
    const { plan, timeBase, firstSlot = 1, originTicks = this.firstPtsTicks } = this.#options;
    const slot = ptsTicks === undefined ? undefined : slotOf(plan, ptsTicks, originTicks ?? ptsTicks, timeBase);
    if (slot === undefined || slot <= this.#lastSlot) {
      this.fates.skipped += 1;
      return undefined;
    }
    this.#lastSlot = slot;
    const n = slot + (firstSlot - 1);
    if (n >= plan.firstN) return n;
    this.fates['before-start'] += 1;
    return undefined;
  }

  #confirm(): void {
    for (;;) {
      const [entry] = this.#expected;
      const [selected] = this.#early;
      if (entry === undefined || selected === undefined) return;
      this.#expected.shift();
      this.#early.shift();
      if (entry.ptsTicks !== selected.ptsTicks)
        throw disagreement(
          `the frame at ${selected.ptsTicks ?? 'no'} ticks was selected where frame ${entry.sourceIndex} at ${entry.ptsTicks ?? 'no'} ticks was to be`,
        );
      this.#confirmed.push({ ...entry, sizeNumber: selected.sizeNumber });
    }
  }
}

/** ffmpeg and the plan select differently: a defect, and no frame's number could be trusted. */
export const disagreement = (what: string): Fault =>
  new Fault('INTERNAL', `ffmpeg and the sample plan disagree: ${what}; report this with the source's ffprobe output`);
