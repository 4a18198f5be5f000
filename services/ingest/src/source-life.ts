/**
 * The life of one source, as its ingest sees it: told what happens, it tells the condition that status answers and metrics show, and
 * after a loss how long to wait before the next attempt.
 *
 *   connecting ─▶ playing ⇄ stalled        ended, failed: for good
 *        └──────────┴──┴──▶ reconnecting ─▶ playing …
 *
 * Pure: times are handed in, monotonic milliseconds unless said; the wall clock is read only where the condition changes. Each change
 * of state or reason is told once. A frozen picture is a reason of `playing`: an alarm, never a loss.
 */

import type { Fault } from '@stream-infer/core/fault';
import type { SourceCondition, SourceReason, SourceState } from '@stream-infer/core/source-state';
import { Backoff, type BackoffOptions } from './backoff.ts';

/** Why a source that is lost is, and what comes of it. */
export type SourceLoss = {
  /** Undefined where only its reason is known. */
  readonly fault: Fault | undefined;
  /** When it is opened again, milliseconds since 1970; undefined where it is not. */
  readonly retryAtMs: number | undefined;
};

export type SourceLifeOptions = {
  readonly backoff: BackoffOptions;
  /** An opened source without a frame for so long is lost; without one for half of it, it is `stalled`. */
  readonly stallMs: number;
  /** Milliseconds since 1970. */
  readonly wallMs: () => number;
  /** Called with each new condition, the first one excepted. */
  readonly onChange?: (condition: SourceCondition) => void;
};

/** A source that played so long without a loss held: the next loss is the first one again. */
export const HELD_MS = 10_000;

export class SourceLife {
  readonly #options: SourceLifeOptions;
  readonly #backoff: Backoff;
  #condition: SourceCondition;
  /** When the decoder started, or the newest frame came; undefined while no decoder runs. */
  #progressAtMs: number | undefined;
  /** When the first frame of this attempt came. */
  #playingSinceMs: number | undefined;
  #isFrozen = false;
  /** What went wrong with what was opened last. */
  #fault: Fault | undefined;
  #loss: SourceLoss | undefined;

  constructor(options: SourceLifeOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.backoff);
    this.#condition = { state: 'connecting', reason: 'started', sinceMs: options.wallMs() };
  }

  get condition(): SourceCondition {
    return this.#condition;
  }

  /** While it is lost, or once it has failed. */
  get loss(): SourceLoss | undefined {
    return this.#loss;
  }

  /** Whether it ended or failed: whatever is told after that changes nothing. */
  get isOver(): boolean {
    const { state } = this.#condition;
    return state === 'ended' || state === 'failed';
  }

  /** It was probed and its decoder runs: from now on frames are to come. */
  opened(nowMs: number): void {
    this.#progressAtMs = nowMs;
    this.#playingSinceMs = undefined;
    this.#isFrozen = false;
    this.#fault = undefined;
  }

  /** What `lost` or `failed`, to be told next, is for. */
  broke(fault: Fault): void {
    this.#fault = fault;
  }

  /** A frame was decoded. Cheap: to be told of each, or of the newest of some. */
  frame(nowMs: number): void {
    this.#progressAtMs = nowMs;
    this.#playingSinceMs ??= nowMs;
    if (nowMs - this.#playingSinceMs >= HELD_MS) this.#backoff.reset();
    this.#become('playing', this.#isFrozen ? 'frozen-picture' : 'frames');
  }

  /** To be called now and then: whether no frame has come for so long that the decoder is to be ended, and the source is lost. */
  isSilent(nowMs: number): boolean {
    if (this.#progressAtMs === undefined || this.isOver) return false;
    const silentMs = nowMs - this.#progressAtMs;
    const { stallMs } = this.#options;
    if (silentMs >= stallMs / 2) this.#become('stalled', 'no-frames');
    return silentMs >= stallMs;
  }

  /** The picture stopped changing. Heard only while frames come. */
  frozen(): void {
    if (this.#progressAtMs === undefined) return;
    this.#isFrozen = true;
    if (this.#condition.state === 'playing') this.#become('playing', 'frozen-picture');
  }

  /** The picture changes again. */
  unfrozen(): void {
    this.#isFrozen = false;
    if (this.#condition.state === 'playing') this.#become('playing', 'frames');
  }

  /** It did not open, or broke, and is to be opened again after as many milliseconds as this returns. */
  lost(reason: SourceReason): number {
    this.#progressAtMs = undefined;
    const waitMs = this.#backoff.next(reason);
    this.#loses(this.#options.wallMs() + waitMs);
    this.#become('reconnecting', reason);
    return waitMs;
  }

  /** It played to its end. */
  ended(): void {
    this.#become('ended', 'ended');
  }

  /** Nothing more is tried. */
  failed(reason: SourceReason): void {
    this.#loses(undefined);
    this.#become('failed', reason);
  }

  #loses(retryAtMs: number | undefined): void {
    if (this.isOver) return;
    this.#loss = { fault: this.#fault, retryAtMs };
    this.#fault = undefined;
  }

  #become(state: SourceState, reason: SourceReason): void {
    if (this.isOver) return;
    const before = this.#condition;
    if (before.state === state && before.reason === reason) return;
    if (state !== 'reconnecting' && state !== 'failed') this.#loss = undefined;
    const { wallMs, onChange } = this.#options;
    this.#condition = { state, reason, sinceMs: wallMs() };
    onChange?.(this.#condition);
  }
}
