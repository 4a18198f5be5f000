/**
 * Which runs there are: each that plays is followed, one newer epoch of it takes the place of the older (EX-4), and a younger run of the
 * same stream lets the older one finish.
 */

import type { Bucket, Change } from '@stream-infer/bus/bucket';
import type { Fault } from '@stream-infer/core/fault';
import type { Run } from '@stream-infer/core/run';
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
        for (const followed of this.#of(change.key)) followed.registered('over');
        return;
      case 'current':
        return;
    }
  }

  #put(run: Run): void {
    for (const followed of this.#of(run.stream)) {
      if (followed.run.run !== run.run) followed.registered('superseded');
      else if (followed.run.epoch < run.epoch) followed.drop();
      else if (isOver(run)) followed.registered('over');
    }
    const playing = playingRun(run);
    if (playing && (this.#seen.get(run.stream) ?? 0) < run.epoch && !this.#halted) this.#follow(playing, isOver(run));
  }

  /** @param over its ingest had ended it before it was known here. */
  #follow(run: PlayingRun, over: boolean): void {
    this.#seen.set(run.stream, run.epoch);
    const followed = this.#options.follow(run);
    if (over) followed.registered('over');
    this.#followed.add(followed);
    void followed.done.then(() => this.#followed.delete(followed));
  }

  #of(stream: string): StreamRun[] {
    return [...this.#followed].filter((followed) => followed.run.stream === stream);
  }
}

const isOver = ({ state }: Run): boolean => state.kind === 'ended' || state.kind === 'failed';
