/**
 * A claim on a stream's run: who writes the run first plays the stream, and every later write names the revision of the one before
 * it, so that no second ingest plays the same stream (D11, EX-1). The claim's revision is the epoch and the fencing token.
 *
 * A revision of a stream's spec is one run. What an ingest gives back, or leaves when it dies, another goes on with: the same run, in the
 * next epoch.
 */

import { randomBytes } from 'node:crypto';
import type { Bucket, Entry } from '@stream-infer/bus/bucket';
import { busErrorKind } from '@stream-infer/bus/bus-error';
import type { Run, RunState } from '@stream-infer/core/run';
import type { StreamSpec } from '@stream-infer/core/stream-spec';

/** Owner of a run that an ingest gave back. */
export const NOBODY = '';

const isOver = ({ state }: Run): boolean => state.kind === 'ended' || state.kind === 'failed';

/** Whether there is something to play: no run of this revision of the spec has come to its end. */
export const isPlayable = (spec: Entry<StreamSpec>, run: Entry<Run> | undefined): boolean =>
  run === undefined || run.value.specRevision !== spec.revision || !isOver(run.value);

const WRITE_RETRY_MS = 200;

export type ClaimOptions = {
  readonly runs: Bucket<Run>;
  /** This ingest's id. */
  readonly owner: string;
  readonly spec: Entry<StreamSpec>;
  /** The stream's newest run, as it stands. */
  readonly standing: Entry<Run> | undefined;
};

export class RunClaim {
  /** As the claim was written; its epoch is what `epoch` tells. */
  readonly run: Run;
  readonly epoch: number;
  /** Epochs of the same run before this one, whose buffers may be left: their ingest died, or goes on without knowing. */
  readonly earlier: readonly number[];
  readonly #runs: Bucket<Run>;
  #revision: number;

  private constructor(runs: Bucket<Run>, run: Run, revision: number, earlier: readonly number[]) {
    this.#runs = runs;
    this.run = { ...run, epoch: revision };
    this.epoch = revision;
    this.earlier = earlier;
    this.#revision = revision;
  }

  /** Goes on with the stream's run, or begins one where its spec has none or a newer one. Undefined where another was quicker. */
  static async take({ runs, owner, spec, standing }: ClaimOptions): Promise<RunClaim | undefined> {
    const before = standing?.value.specRevision === spec.revision ? standing : undefined;
    const run: Run = {
      run: before?.value.run ?? newRunId(),
      stream: spec.key,
      epoch: 0,
      owner,
      spec: spec.value,
      specRevision: spec.revision,
      startedAtMs: before?.value.startedAtMs ?? Date.now(),
      state: { kind: 'claimed' },
    };
    const revision =
      standing === undefined ? await runs.create(spec.key, run) : await runs.update(spec.key, run, standing.revision);
    // One that was claimed and not yet written again has its claim's revision as its epoch.
    const earlier = before ? [before.value.epoch, before.revision].filter((epoch) => epoch > 0) : [];
    return revision === undefined ? undefined : new RunClaim(runs, run, revision, earlier);
  }

  /** The revision that this claim wrote last. */
  get revision(): number {
    return this.#revision;
  }

  /** Whether the run began before this claim of it. */
  get continues(): boolean {
    return this.earlier.length > 0;
  }

  /** Begins the next epoch of the same run. Undefined where another ingest has written since. */
  async next(): Promise<RunClaim | undefined> {
    const claimed = { ...this.run, epoch: 0, state: { kind: 'claimed' } } as const;
    if (!(await this.#write(claimed))) return undefined;
    return new RunClaim(this.#runs, claimed, this.#revision, [this.epoch]);
  }

  /** Writes the run's new state. False where another ingest has written since: this one must stop and touch nothing. */
  write(state: RunState): Promise<boolean> {
    return this.#write({ ...this.run, state });
  }

  /** Leaves the run to whoever claims it next, and goes on with it. */
  giveBack(): Promise<boolean> {
    return this.#write({ ...this.run, owner: NOBODY, state: { kind: 'claimed' } });
  }

  /** Forgets the run: its stream is no more and nothing of it was played. */
  async remove(): Promise<void> {
    await this.#runs.delete(this.run.stream, this.#revision);
  }

  async #write(run: Run): Promise<boolean> {
    for (;;) {
      try {
        const revision = await this.#runs.update(run.stream, run, this.#revision);
        if (revision === undefined) return await this.#wroteBefore(run);
        this.#revision = revision;
        return true;
      } catch (error) {
        if (!['timeout', 'no-responders'].includes(busErrorKind(error))) throw error;
        await new Promise((resolve) => setTimeout(resolve, WRITE_RETRY_MS));
      }
    }
  }

  /** A write whose answer was lost has happened: the retry is refused, and what stands there is what it wrote. */
  async #wroteBefore(run: Run): Promise<boolean> {
    const standing = await this.#runs.get(run.stream);
    const ours =
      standing?.value.run === run.run &&
      standing.value.owner === run.owner &&
      standing.value.epoch === run.epoch &&
      standing.value.state.kind === run.state.kind;
    if (ours) this.#revision = standing.revision;
    return ours;
  }
}

/** Unique for ever, sorting by time, and a token of subjects. */
const newRunId = (): string => `${Date.now().toString(36)}-${randomBytes(4).toString('hex')}`;
