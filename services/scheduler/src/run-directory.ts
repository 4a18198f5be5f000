/**
 * Which runs there are of the streams that this scheduler has: each that plays is followed, a newer epoch of it takes the place of the
 * older (EX-4), and a younger run of the same stream lets the older one finish.
 */

import type { Bucket, Change } from '@stream-infer/bus/bucket';
import type { HeldRun } from '@stream-infer/bus/registry';
import { type Watch, watchBucket } from '@stream-infer/bus/watch-bucket';
import { type Fault, type FaultJson, toFault } from '@stream-infer/core/fault';
import type { AlgorithmTotals } from '@stream-infer/core/result-record';
import type { Run } from '@stream-infer/core/run';
import type { Registered } from './frame-feed.ts';
import { type PlayingRun, playingRun } from './playing-run.ts';
import type { StreamRun } from './stream-run.ts';

type Totals = ReadonlyMap<string, AlgorithmTotals>;

export type RunDirectoryOptions = {
  readonly runs: Bucket<Run>;
  report(fault: Fault): void;
  follow(run: PlayingRun, token: number, inherited: Totals): StreamRun;
  /** Publishes the end of a run that failed before this scheduler followed it. Never rejects. */
  conclude(run: Run, fault: FaultJson): Promise<void>;
  /** There is a run of the stream, or none any more. */
  appeared(stream: string): void;
  gone(stream: string): void;
};

/** How long what is under way may take when an epoch began beside the one before: what is due meanwhile waits. */
const ANSWER_MS = 1_000;

/** What is known of one stream. */
type Known = {
  /** The newest. */
  run: Run | undefined;
  /** What the registry told while this scheduler had no claim, newest of each run. */
  readonly untaken: Map<string, Run>;
  /** Of this scheduler's claim; undefined where it has none. */
  token: number | undefined;
  readonly followed: Set<StreamRun>;
  /** The newest epoch that was followed under this claim: the registry may tell of it again. */
  seen: number;
  /** Steps of one stream come one after the other. */
  turn: Promise<void>;
};

export class RunDirectory {
  readonly #options: RunDirectoryOptions;
  readonly #known = new Map<string, Known>();
  readonly #watch: Watch;
  #halted = false;

  constructor(options: RunDirectoryOptions) {
    this.#options = options;
    this.#watch = watchBucket(options.runs, (change) => this.#changed(change), options.report);
  }

  /** Whether all that stood in the registry is known. */
  get isCurrent(): boolean {
    return this.#watch.isCurrent;
  }

  /** By stream: what is lost if this process dies now (EX-11). */
  get held(): Readonly<Record<string, HeldRun>> {
    const followed = [...this.#known.values()].flatMap((known) => [...known.followed]);
    return Object.fromEntries(followed.flatMap(({ run, held }) => (held ? [[run.stream, held]] : [])));
  }

  /** The stream is this scheduler's from now on. */
  gained(stream: string, token: number): void {
    const known = this.#of(stream);
    known.token = token;
    for (const run of known.untaken.values()) void this.#turn(known, () => this.#put(known, run));
    known.untaken.clear();
  }

  /** The stream is another's; resolves when nothing of it is under way here. */
  lost(stream: string): Promise<void> {
    const known = this.#of(stream);
    known.token = undefined;
    return this.#turn(known, async () => {
      await Promise.all([...known.followed].map((followed) => followed.drop()));
      known.seen = 0;
      if (known.run) known.untaken.set(known.run.run, known.run);
    });
  }

  /** Follows nothing new; resolves when what is under way is published. Idempotent. */
  async halt(): Promise<void> {
    this.#halted = true;
    await this.#watch.close();
    await Promise.all(
      [...this.#known.values()].map(async ({ turn, followed }) => {
        await turn;
        await Promise.all([...followed].map((one) => one.halt()));
      }),
    );
  }

  #of(stream: string): Known {
    const known = this.#known.get(stream) ?? {
      run: undefined,
      untaken: new Map(),
      token: undefined,
      followed: new Set(),
      seen: 0,
      turn: Promise.resolve(),
    };
    this.#known.set(stream, known);
    return known;
  }

  #turn(known: Known, step: () => Promise<void>): Promise<void> {
    known.turn = known.turn
      .then(step)
      .catch((error: unknown) => this.#options.report(toFault(error, 'INTERNAL', 'a run cannot be followed')));
    return known.turn;
  }

  #changed(change: Change<Run>): void {
    switch (change.kind) {
      case 'put': {
        const known = this.#of(change.key);
        known.run = change.value;
        if (known.token === undefined) known.untaken.set(change.value.run, change.value);
        else void this.#turn(known, () => this.#put(known, change.value));
        this.#options.appeared(change.key);
        return;
      }
      case 'deleted': {
        const known = this.#of(change.key);
        known.run = undefined;
        // What comes under this key again is anybody's to claim.
        known.token = undefined;
        for (const followed of known.followed) followed.registered({ kind: 'stopped' });
        if (known.followed.size === 0) this.#known.delete(change.key);
        this.#options.gone(change.key);
        return;
      }
      case 'current':
        return;
    }
  }

  async #put(known: Known, run: Run): Promise<void> {
    if (known.token === undefined || this.#halted) return;
    const playing = playingRun(run);
    let inherited: Totals = new Map();
    for (const followed of known.followed)
      if (playing && followed.run.run === run.run && followed.run.epoch < run.epoch) {
        // Where the next epoch began beside it, the epoch before is left in order, its buffer with it (EX-8, EX-10).
        const isKept = run.left?.includes(followed.run.epoch) ?? false;
        inherited = await followed.drop(isKept ? ANSWER_MS : 0);
      }
    // It may have been lost meanwhile.
    if (known.token === undefined) return;
    if (playing && known.seen < run.epoch) this.#follow(known, playing, known.token, inherited);
    const isFollowed = [...known.followed].some((followed) => followed.run.run === run.run);
    if (run.state.kind === 'failed' && !isFollowed) await this.#options.conclude(run, run.state.fault);
    for (const followed of known.followed)
      followed.registered(followed.run.run === run.run ? registeredAs(run) : { kind: 'superseded' });
  }

  #follow(known: Known, run: PlayingRun, token: number, inherited: Totals): void {
    known.seen = run.epoch;
    const followed = this.#options.follow(run, token, inherited);
    known.followed.add(followed);
    void followed.done.then(() => {
      known.followed.delete(followed);
      const isGone = known.run === undefined && known.followed.size === 0;
      if (isGone && this.#known.get(run.stream) === known) this.#known.delete(run.stream);
    });
  }
}

function registeredAs({ state }: Run): Registered {
  switch (state.kind) {
    // A run that plays and is claimed again goes on in another epoch.
    case 'claimed':
    case 'playing':
      return { kind: 'playing' };
    case 'ended':
      return state.facts ? { kind: 'ended', removed: state.removed === true } : { kind: 'stopped' };
    case 'failed':
      return { kind: 'failed', fault: state.fault };
  }
}
