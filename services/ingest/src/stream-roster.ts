/**
 * Which streams this ingest plays: the registry's, as far as it is the one to claim them. Each stream is looked after on its own,
 * one step at a time, so that a slow one delays no other (I6).
 */

import type { Bucket, Entry } from '@stream-infer/bus/bucket';
import { toFault } from '@stream-infer/core/fault';
import type { Run } from '@stream-infer/core/run';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { claimable, RunClaim } from './run-claim.ts';
import { type PlayingContext, StreamPlaying } from './stream-playing.ts';

export type RosterOptions = {
  readonly context: PlayingContext;
  readonly streams: Bucket<StreamSpec>;
  readonly runs: Bucket<Run>;
  /** This ingest's id, unique among all there ever were. */
  readonly owner: string;
};

const RETRY_MS = 1_000;

export class StreamRoster {
  readonly #options: RosterOptions;
  readonly #stop = new AbortController();
  readonly #specs = new Map<string, Entry<StreamSpec>>();
  readonly #runs = new Map<string, Entry<Run>>();
  readonly #playing = new Map<string, StreamPlaying>();
  /** Streams being looked after, and whether something changed meanwhile. */
  readonly #busy = new Map<string, { again: boolean; done: Promise<void> }>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #watching: Promise<unknown> = Promise.resolve();
  /** Buckets whose standing entries have all been told. */
  #current = 0;

  constructor(options: RosterOptions) {
    this.#options = options;
  }

  /** Whether all that stood in the registry at the start has been seen. */
  get isCurrent(): boolean {
    return this.#current === 2;
  }

  /** @param onLost called where the registry cannot be watched any more. */
  start(onLost: (error: unknown) => void): void {
    const { streams, runs } = this.#options;
    const follow = async <T>(bucket: Bucket<T>, entries: Map<string, Entry<T>>): Promise<void> => {
      for await (const change of bucket.watch(this.#stop.signal)) {
        if (change.kind === 'current') {
          this.#current += 1;
          if (this.isCurrent) for (const key of this.#specs.keys()) this.#look(key);
          continue;
        }
        if (change.kind === 'put') entries.set(change.key, change);
        else entries.delete(change.key);
        if (this.isCurrent) this.#look(change.key);
      }
    };
    this.#watching = Promise.all([follow(streams, this.#specs), follow(runs, this.#runs)]).catch((error: unknown) => {
      if (!this.#stop.signal.aborted) onLost(error);
    });
  }

  /** Ends every run, gives the streams back and resolves when all is closed. Idempotent. */
  async stop(): Promise<void> {
    this.#stop.abort();
    for (const timer of this.#timers) clearTimeout(timer);
    for (const playing of this.#playing.values()) playing.stop('stopping');
    await Promise.all([...this.#busy.values()].map(({ done }) => done));
    // A claim that was under way when the stop came.
    for (const playing of this.#playing.values()) playing.stop('stopping');
    await Promise.all([...this.#playing.values()].map(({ over }) => over));
    await this.#watching;
  }

  #look(key: string): void {
    const busy = this.#busy.get(key);
    if (busy) {
      busy.again = true;
      return;
    }
    const state = { again: false, done: Promise.resolve() };
    this.#busy.set(key, state);
    state.done = this.#lookOnce(key)
      .catch((error: unknown) => {
        const { report } = this.#options.context;
        report(toFault(error, 'BUS_FAILED', `stream ${key} cannot be claimed, trying again`), { stream: key });
        this.#later(key);
      })
      .finally(() => {
        this.#busy.delete(key);
        if (state.again && !this.#stop.signal.aborted) this.#look(key);
      });
  }

  async #lookOnce(key: string): Promise<void> {
    const spec = this.#specs.get(key);
    const run = this.#runs.get(key);
    const playing = this.#playing.get(key);
    if (playing) {
      if (isSuperseded(playing, run)) playing.stop('superseded');
      if (spec?.revision !== playing.claim.run.specRevision) playing.stop('removed');
      return;
    }
    const how = spec && claimable(spec, run);
    if (!spec || !how || this.#stop.signal.aborted) return;
    const { runs, owner, context } = this.#options;
    const claim = await RunClaim.take(runs, owner, spec, how);
    if (!claim) return;
    const started = new StreamPlaying(context, claim);
    this.#playing.set(key, started);
    const over = (): void => {
      this.#playing.delete(key);
      if (!this.#stop.signal.aborted) this.#look(key);
    };
    started.over.then(over, over);
  }

  #later(key: string): void {
    if (this.#stop.signal.aborted) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#look(key);
    }, RETRY_MS);
    this.#timers.add(timer);
  }
}

/** Whether another ingest has written the run since this one did. */
const isSuperseded = ({ claim }: StreamPlaying, run: Entry<Run> | undefined): boolean =>
  run !== undefined && run.revision > claim.revision && run.value.owner !== claim.run.owner;
