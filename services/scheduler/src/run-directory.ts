/**
 * Which runs there are: each that plays is followed, one newer epoch of it takes the place of the older (EX-4), and a younger run of the
 * same stream lets the older one finish.
 */

import type { Bucket, Change } from '@stream-infer/bus/bucket';
import type { Fault } from '@stream-infer/core/fault';
import type { Run } from '@stream-infer/core/run';
import type { Registered } from './frame-feed.ts';
import { type PlayingRun, playingRun } from './playing-run.ts';
import type { StreamRun } from './stream-run.ts';
import { type Watch, watchBucket } from './watch-bucket.ts';

export type RunDirectoryOptions = {
  readonly runs: Bucket<Run>;
  report(fault: Fault): void;
  follow(run: PlayingRun): StreamRun;
};

export class RunDirectory {
  readonly #options: RunDirectoryOptions;
  readonly #followed = new Set<StreamRun>();
  /** Epochs that were followed to their end here: the registry may tell of them again. */
  readonly #seen = new Map<string, number>();
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

  /** Follows nothing new; resolves when what is under way is published. Idempotent. */
  async halt(): Promise<void> {
    this.#halted = true;
    await this.#watch.close();
    await Promise.all([...this.#followed].map((followed) => followed.halt()));
  }

  #changed(change: Change<Run>): void {
    switch (change.kind) {
      case 'put':
        this.#put(change.value);
        return;
      case 'deleted':
        for (const followed of this.#of(change.key)) followed.registered({ kind: 'stopped' });
        return;
      case 'current':
        return;
    }
  }

  #put(run: Run): void {
    for (const followed of this.#of(run.stream))
      if (followed.run.run === run.run && followed.run.epoch < run.epoch) followed.drop();
    const playing = playingRun(run);
    if (playing && (this.#seen.get(run.stream) ?? 0) < run.epoch && !this.#halted) this.#follow(playing);
    for (const followed of this.#of(run.stream))
      followed.registered(followed.run.run === run.run ? registeredAs(run) : { kind: 'superseded' });
  }

  #follow(run: PlayingRun): void {
    this.#seen.set(run.stream, run.epoch);
    const followed = this.#options.follow(run);
    this.#followed.add(followed);
    void followed.done.then(() => this.#followed.delete(followed));
  }

  #of(stream: string): StreamRun[] {
    return [...this.#followed].filter((followed) => followed.run.stream === stream);
  }
}

function registeredAs({ state }: Run): Registered {
  switch (state.kind) {
    // A run that plays and is claimed again was given back by its ingest, behind an end marker.
    case 'claimed':
    case 'playing':
      return { kind: 'playing' };
    case 'ended':
      return { kind: state.facts ? 'ended' : 'stopped' };
    case 'failed':
      return { kind: 'failed', fault: state.fault };
  }
}
