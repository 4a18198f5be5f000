/**
 * What an algorithm with memory is sent next on one stream, and where: a pure state machine, told of what became of it (EX-9).
 *
 * - Everything goes to one home, in order, one at a time. What is sent names the window before it, so that an instance that is
 *   not where it should be is noticed by the runner and never runs.
 * - An instance that is lost is followed by one that begins from the newest snapshot. Offline it runs what came after that again,
 *   and nothing of that is published; in realtime it goes on with the newest window.
 * - Where there is no snapshot an offline stream has to be played from its beginning, and a realtime one begins to remember anew:
 *   its next result says so.
 */

import type { PublishedFrame } from './frame-history.ts';
import type { Trigger } from './prepared-windows.ts';
import type { RetainedWindows } from './retained-windows.ts';
import type { Mode } from './stream-spec.ts';

/** All that an instance remembered behind window n. */
export type Snapshot = { readonly n: number; readonly bytes: Uint8Array };

/** What is to be sent. */
export type Turn<F> = {
  /** The window to run again; absent where it is the next that is due. */
  readonly replay?: Trigger<F>;
  /** n of the window that the instance has run last; 0 for none. */
  readonly afterN: number;
  /** A new instance: from `snapshot`, where there is one. */
  readonly begin: boolean;
  readonly snapshot?: Uint8Array;
  /** The answer is to have a snapshot. */
  readonly takeSnapshot: boolean;
  /** What was remembered of the windows before is gone. */
  readonly stateReset: boolean;
};

export type StateTurnsOptions<F extends PublishedFrame> = {
  readonly mode: Mode;
  readonly retained: RetainedWindows<F>;
  /** The newest there is. */
  readonly snapshot: Snapshot | undefined;
  /** Whether a predecessor has published results. */
  readonly hasRun: boolean;
  /** Offline: windows from one snapshot to the next. */
  readonly snapshotEvery: number;
};

/** Realtime: from one snapshot to the next. */
const SNAPSHOT_EVERY_MS = 1_000;

/** `F`: what is known of a frame; `H`: a runner. */
export class StateTurns<F extends PublishedFrame, H> {
  readonly #options: StateTurnsOptions<F>;
  #home: H | undefined;
  /** The window that the instance at home has run last. */
  #at = 0;
  #begins = false;
  #resets = false;
  #hasRun: boolean;
  #snapshot: Snapshot | undefined;
  #snapshots: 'unknown' | 'taken' | 'none' = 'unknown';
  #sinceSnapshot = 0;
  #snapshotAtMs = Number.NEGATIVE_INFINITY;
  /** The window that failed last, if it was the last. */
  #failedAt: number | undefined;

  constructor(options: StateTurnsOptions<F>) {
    this.#options = options;
    this.#hasRun = options.hasRun;
    this.#snapshot = options.snapshot;
    if (options.snapshot) this.#snapshots = 'taken';
  }

  /** Where everything goes for now. */
  get home(): H | undefined {
    return this.#home;
  }

  /** Whether windows are to be run again, whatever else is due. */
  get replays(): boolean {
    return this.#options.retained.after(this.#position) !== undefined;
  }

  /** Offline: whether nothing but the whole stream, played again, brings back what was remembered. */
  get needsRewind(): boolean {
    const { mode, retained } = this.#options;
    return mode === 'offline' && this.#home === undefined && this.#hasRun && !retained.isWhole;
  }

  /** Whether that would bring it back: not where what it comes after is known no more. */
  get canBePlayedAgain(): boolean {
    return this.#options.retained.canBePlayedAgain;
  }

  /** A window that is run again ends every instance that runs it: it is no part of what is remembered. */
  skip(window: Trigger<F>): void {
    this.#options.retained.delete(window.n);
  }

  /** Something is to be sent to `home`. */
  turn(home: H, nowMs: number): Turn<F> {
    const { mode, retained, snapshotEvery } = this.#options;
    if (this.#home !== home) this.#moveTo(home);
    const replay = retained.after(this.#at);
    const isLastReplay = replay !== undefined && retained.after(replay.n) === undefined;
    const isDue =
      mode === 'offline'
        ? isLastReplay || this.#sinceSnapshot + 1 >= snapshotEvery
        : nowMs - this.#snapshotAtMs >= SNAPSHOT_EVERY_MS;
    const takeSnapshot = this.#snapshots === 'unknown' || (this.#snapshots === 'taken' && isDue);
    const begin = this.#begins;
    const snapshot = begin ? this.#snapshot?.bytes : undefined;
    return {
      ...(replay && { replay }),
      afterN: this.#at,
      begin,
      ...(snapshot && { snapshot }),
      takeSnapshot,
      stateReset: this.#resets,
    };
  }

  /** The instance has run this window, and said `snapshot` where it was asked, or its runner drains, and it can. */
  ran(window: Trigger<F>, turn: Turn<F>, snapshot: Uint8Array | undefined, hasFailed: boolean, nowMs: number): void {
    const { mode, retained } = this.#options;
    this.#at = window.n;
    this.#begins = false;
    this.#resets = false;
    this.#hasRun = true;
    this.#failedAt = hasFailed ? window.n : undefined;
    this.#sinceSnapshot += 1;
    if (snapshot) {
      this.#snapshot = { n: window.n, bytes: snapshot };
      this.#snapshots = 'taken';
      this.#sinceSnapshot = 0;
      this.#snapshotAtMs = nowMs;
    } else if (turn.takeSnapshot && !hasFailed) this.#snapshots = 'none';
    if (mode === 'realtime') return;
    if (this.#snapshots === 'none') {
      retained.miss('frames');
      retained.forgetThrough(window.n);
    } else if (turn.replay === undefined) retained.add(window);
  }

  /** The newest snapshot, whether it is stored or not. */
  get newest(): Snapshot | undefined {
    return this.#snapshot;
  }

  /** The snapshot of window n is stored: nothing before it has to be run again. */
  stored(n: number): void {
    this.#options.retained.forgetThrough(n);
  }

  /** The instance is gone, or may be. */
  lost(): void {
    this.#home = undefined;
  }

  /** The runner has no such instance. Where the last window failed, that is what ended it, and would again. */
  missing(): void {
    if (this.#failedAt !== undefined && this.#failedAt === this.#at) this.#options.retained.delete(this.#at);
    this.lost();
  }

  /** The window that the instance of now, or the next one, has run last. */
  get #position(): number {
    return this.#home === undefined ? (this.#snapshot?.n ?? 0) : this.#at;
  }

  #moveTo(home: H): void {
    this.#at = this.#snapshot?.n ?? 0;
    this.#home = home;
    this.#begins = true;
    this.#sinceSnapshot = 0;
    this.#failedAt = undefined;
    if (this.#options.mode === 'realtime' && this.#hasRun && this.#snapshot === undefined) this.#resets = true;
  }
}
