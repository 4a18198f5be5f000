/**
 * A camera changes hands while it plays (EX-8): its ingest offers the run, plays on, and leaves once another has opened the camera beside it and
 * plays the run's next epoch. Where nobody takes it, or whoever took it does not come to play, it leaves all the same.
 */

import type { Entry } from '@stream-infer/bus/bucket';
import type { NewestFrame, Run, RunFacts } from '@stream-infer/core/run';
import { NOBODY, type RunClaim } from './run-claim.ts';
import type { StopReason } from './run-verdict.ts';

/** Why an ingest leaves a run that goes on. */
export type LeaveReason = Extract<StopReason, 'stopping' | 'moved'>;

export type HandOverOptions = {
  readonly claim: Pick<RunClaim, 'run' | 'offer'>;
  /** Of the epoch that plays. */
  readonly newest: NewestFrame;
  readonly facts: RunFacts;
  /** The run is to be left now. */
  leave(reason: Exclude<StopReason, 'removed'>): void;
  report(error: unknown): void;
};

/** How long it is waited for that one takes what is offered: longer than one that died counts as alive. */
const CLAIM_MS = 3_500;

export class HandOver {
  readonly #options: HandOverOptions;
  #reason: LeaveReason;
  #timer: NodeJS.Timeout | undefined;
  #endsAtMs: number;
  /** Of the claim of whoever took it. */
  #claimed: number | undefined;

  /** @param limitMs how long it may take in all. */
  constructor(options: HandOverOptions, reason: LeaveReason, limitMs: number) {
    this.#options = options;
    this.#reason = reason;
    this.#endsAtMs = performance.now() + limitMs;
    this.#wait(CLAIM_MS);
    void this.#offer();
  }

  /** It is to be over sooner, and for another reason. */
  hasten(reason: LeaveReason, limitMs: number): void {
    this.#reason = reason;
    this.#endsAtMs = Math.min(this.#endsAtMs, performance.now() + limitMs);
    this.#wait(this.#claimed === undefined ? CLAIM_MS : limitMs);
  }

  /** What the registry says of the stream, written by others after the offer or by the offer itself. */
  registered({ value, revision }: Entry<Run>): void {
    if (value.owner === NOBODY) return;
    const isFirstClaim = this.#claimed === undefined || this.#claimed === revision;
    // One that begins anew could not open the camera beside this one.
    if (value.run === this.#options.claim.run.run && value.state.kind === 'claimed' && isFirstClaim) {
      this.#claimed = revision;
      this.#wait(Number.POSITIVE_INFINITY);
    } else this.#end('handed-over');
  }

  /** The epoch that was to play on is over: nothing is left to be handed over. */
  giveUp(): void {
    this.#end(this.#reason);
  }

  /** Nothing of it comes any more. Idempotent. */
  close(): void {
    clearTimeout(this.#timer);
  }

  async #offer(): Promise<void> {
    const { claim, newest, facts } = this.#options;
    try {
      if (!(await claim.offer(newest, facts))) this.#end('superseded');
    } catch (error) {
      this.#options.report(error);
      this.giveUp();
    }
  }

  #wait(ms: number): void {
    this.close();
    const leftMs = Math.max(0, this.#endsAtMs - performance.now());
    this.#timer = setTimeout(() => this.giveUp(), Math.min(ms, leftMs));
  }

  #end(reason: Exclude<StopReason, 'removed'>): void {
    this.close();
    this.#options.leave(reason);
  }
}
