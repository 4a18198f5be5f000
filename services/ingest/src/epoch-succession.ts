/**
 * How a run goes on under a changed spec (EX-10): the next epoch begins beside the one that plays, and takes its place (epoch-takeover.ts). One
 * change is under way at a time; of those that come meanwhile the newest follows.
 */

import type { Entry } from '@stream-infer/bus/bucket';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import type { RunClaim } from './run-claim.ts';
import type { Verdict } from './run-verdict.ts';
import type { EpochEnd, StreamEpoch } from './stream-epoch.ts';

/** `succeeded`: the epoch that was begun beside it plays. */
export type TurnVerdict = Verdict | { readonly kind: 'succeeded' };

/** An epoch that has begun. */
export type Turn = { readonly epoch: StreamEpoch; readonly end: Promise<EpochEnd> };

export type SuccessionOptions = {
  /** The next epoch of the run is claimed; undefined where another ingest has the run. */
  claimNext(spec: Entry<StreamSpec>): Promise<RunClaim | undefined>;
  /** Begins the epoch that was claimed, beside this one. */
  begin(predecessor: StreamEpoch): Turn;
  report(error: unknown): void;
  /** How long the next epoch may take to play, until the one before makes way all the same. */
  limitMs: number;
};

export class Succession {
  readonly #options: SuccessionOptions;
  #wanted: Entry<StreamSpec> | undefined;
  #next: Turn | undefined;
  #beginning: Promise<void> | undefined;

  constructor(options: SuccessionOptions) {
    this.#options = options;
  }

  /** The newest spec, where no epoch has begun for it; whoever takes it begins one. */
  takeWanted(): Entry<StreamSpec> | undefined {
    const wanted = this.#wanted;
    this.#wanted = undefined;
    return wanted;
  }

  want(spec: Entry<StreamSpec>): void {
    this.#wanted = spec;
  }

  isWanted({ revision }: Entry<StreamSpec>): boolean {
    return this.#wanted?.revision === revision;
  }

  /** Whether an epoch begins, or has begun, beside the one that plays. */
  get isUnderWay(): boolean {
    return this.#beginning !== undefined || this.#next !== undefined;
  }

  /** Begins the next epoch where one is wanted. @param current the one that plays. */
  look(current: StreamEpoch | undefined): void {
    if (this.#beginning || this.#next || !this.#wanted || current?.newest === undefined) return;
    this.#beginning = this.#begin(this.#wanted, current)
      .catch(this.#options.report)
      .finally(() => {
        this.#beginning = undefined;
      });
  }

  /** The epoch that has begun beside the last one; it is the caller's from now on. */
  async take(): Promise<Turn | undefined> {
    await this.#beginning;
    const next = this.#next;
    this.#next = undefined;
    return next;
  }

  async #begin(spec: Entry<StreamSpec>, current: StreamEpoch): Promise<void> {
    this.#wanted = undefined;
    if ((await this.#options.claimNext(spec)) === undefined) return;
    const next = this.#options.begin(current);
    this.#next = next;
    // One that fails, or does not come to play, takes the other's place all the same: what follows is decided there.
    const makeWay = (): void => {
      clearTimeout(limit);
      current.succeed();
    };
    const limit = setTimeout(makeWay, this.#options.limitMs);
    next.end.then(makeWay, makeWay);
  }
}
