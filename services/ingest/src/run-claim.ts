/**
 * A claim on a stream's run: who writes the run first plays the stream, and every later write names the revision of the one before
 * it, so that no second ingest plays the same stream (D11, EX-1). The claim's revision is the epoch and the fencing token.
 *
 * A revision of a stream's spec is played once. An ingest that stops in the middle gives the run back (owner ''), and whoever
 * claims it plays the stream anew, as another run.
 */

import { randomBytes } from 'node:crypto';
import type { Bucket, Entry } from '@stream-infer/bus/bucket';
import { busErrorKind } from '@stream-infer/bus/bus-error';
import type { Run, RunState } from '@stream-infer/core/run';
import type { StreamSpec } from '@stream-infer/core/stream-spec';

/** Owner of a run that an ingest gave back. */
export const NOBODY = '';

export type Claimable = { readonly kind: 'create' } | { readonly kind: 'update'; readonly revision: number };

/** How a stream can be claimed, given its newest run; undefined where it is another's, or has been played. */
export function claimable(spec: Entry<StreamSpec>, run: Entry<Run> | undefined): Claimable | undefined {
  if (run === undefined) return { kind: 'create' };
  const { owner, specRevision, state } = run.value;
  const update = { kind: 'update', revision: run.revision } as const;
  if (owner === NOBODY) return update;
  const over = state.kind === 'ended' || state.kind === 'failed';
  return over && specRevision !== spec.revision ? update : undefined;
}

const WRITE_RETRY_MS = 200;

export class RunClaim {
  /** As the claim was written; its epoch is what `epoch` tells. */
  readonly run: Run;
  readonly epoch: number;
  readonly #runs: Bucket<Run>;
  #revision: number;

  private constructor(runs: Bucket<Run>, run: Run, revision: number) {
    this.#runs = runs;
    this.run = { ...run, epoch: revision };
    this.epoch = revision;
    this.#revision = revision;
  }

  /** Undefined where another was quicker. */
  static async take(
    runs: Bucket<Run>,
    owner: string,
    spec: Entry<StreamSpec>,
    how: Claimable,
  ): Promise<RunClaim | undefined> {
    const run: Run = {
      run: newRunId(),
      stream: spec.key,
      epoch: 0,
      owner,
      spec: spec.value,
      specRevision: spec.revision,
      startedAtMs: Date.now(),
      state: { kind: 'claimed' },
    };
    const revision =
      how.kind === 'create' ? await runs.create(spec.key, run) : await runs.update(spec.key, run, how.revision);
    return revision === undefined ? undefined : new RunClaim(runs, run, revision);
  }

  /** The revision that this claim wrote last. */
  get revision(): number {
    return this.#revision;
  }

  /** Writes the run's new state. False where another ingest has written since: this one must stop and touch nothing. */
  write(state: RunState): Promise<boolean> {
    return this.#write({ ...this.run, state });
  }

  /** Leaves the run to whoever claims it next. */
  giveBack(): Promise<boolean> {
    return this.#write({ ...this.run, owner: NOBODY, state: { kind: 'claimed' } });
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
      standing.value.state.kind === run.state.kind;
    if (ours) this.#revision = standing.revision;
    return ours;
  }
}

/** Unique for ever, sorting by time, and a token of subjects. */
const newRunId = (): string => `${Date.now().toString(36)}-${randomBytes(4).toString('hex')}`;
