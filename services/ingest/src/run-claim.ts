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
import type { NewestFrame, Run, RunFacts, RunState, SourceFacts } from '@stream-infer/core/run';
import { goesOnUnder } from '@stream-infer/core/run-continuity';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { knownSource } from './known-source.ts';

/** Owner of a run that an ingest gave back, or offers. */
export const NOBODY = '';

/** Whether nothing more is published. */
export const isOver = ({ state }: Run): boolean => state.kind === 'ended' || state.kind === 'failed';

/** Epochs of a run whose buffers may stand: one that was claimed and not written again has its claim's revision as its epoch. */
export const epochsOf = ({ value, revision }: Entry<Run>): readonly number[] => [
  ...new Set([...(value.left ?? []), value.epoch || revision]),
];

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

/** Where a claim comes from. */
type Origin = Pick<RunClaim, 'continues' | 'newest' | 'isOffered'>;

export class RunClaim {
  /** As the claim was written; its epoch is what `epoch` tells. */
  readonly run: Run;
  readonly epoch: number;
  /** Whether the run began before this claim of it. */
  readonly continues: boolean;
  /** How far the run had come when it was given back, or offered. */
  readonly newest: NewestFrame | undefined;
  /** Whether the ingest that had the run before plays on until this claim's epoch plays. */
  readonly isOffered: boolean;
  readonly #runs: Bucket<Run>;
  #left: readonly number[];
  #known: SourceFacts | undefined;
  #revision: number;
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(runs: Bucket<Run>, run: Run, revision: number, before: Origin) {
    const { left = [], ...claimed } = run;
    this.#runs = runs;
    this.run = { ...claimed, epoch: revision };
    this.epoch = revision;
    this.continues = before.continues;
    this.newest = before.newest;
    this.isOffered = before.isOffered;
    this.#left = left;
    this.#known = knownSource(run.state);
    this.#revision = revision;
  }

  /** Goes on with the stream's run, or begins one where its spec has none or a newer one. Undefined where another was quicker. */
  static async take({ runs, owner, spec, standing }: ClaimOptions): Promise<RunClaim | undefined> {
    const before = standing && isOf(standing.value, spec) ? standing : undefined;
    // A run of an older spec that came to its end is still read to it.
    const left = standing && (before || !isOver(standing.value)) ? epochsOf(standing) : [];
    const run: Run = {
      run: before?.value.run ?? newRunId(),
      stream: spec.key,
      epoch: 0,
      owner,
      spec: spec.value,
      specRevision: spec.revision,
      startedAtMs: before?.value.startedAtMs ?? Date.now(),
      ...(left.length > 0 && { left }),
      state: claimed(before && knownSource(before.value.state)),
    };
    const revision =
      standing === undefined ? await runs.create(spec.key, run) : await runs.update(spec.key, run, standing.revision);
    if (revision === undefined) return undefined;
    const newest = before?.value.newest;
    const isOffered = newest !== undefined && before?.value.state.kind === 'playing';
    return new RunClaim(runs, run, revision, { continues: before !== undefined, newest, isOffered });
  }

  /** The revision that this claim wrote last. */
  get revision(): number {
    return this.#revision;
  }

  /** What epochs of the run, this one among them, found out about their source. */
  get known(): SourceFacts | undefined {
    return this.#known;
  }

  /** Epochs before this one, whose buffers may stand: their ingest died, goes on without knowing, or left them to be read. */
  get left(): readonly number[] {
    return this.#left;
  }

  /** Of those, all but this one. */
  get before(): readonly number[] {
    return this.#left.filter((epoch) => epoch !== this.epoch);
  }

  /**
   * The buffers that were left are deleted, and this epoch's is about to be made: the registry is told with the next write.
   * @param keeping of those that were left, what is deleted later.
   */
  opens(keeping: readonly number[] = []): void {
    this.#left = [...keeping, this.epoch];
  }

  /** Begins the next epoch of the same run. Undefined where another ingest has written since. @param spec where it is another from now on. */
  async next(spec?: Entry<StreamSpec>): Promise<RunClaim | undefined> {
    const changed = spec && { spec: spec.value, specRevision: spec.revision };
    const run = { ...this.run, ...changed, epoch: 0, left: this.#left, state: claimed(this.#known) };
    if (!(await this.#write(run))) return undefined;
    return new RunClaim(this.#runs, run, this.#revision, { continues: true, newest: this.newest, isOffered: false });
  }

  /** Writes the run's new state. False where another ingest has written since: this one must stop and touch nothing. */
  write(state: RunState): Promise<boolean> {
    this.#known = knownSource(state) ?? this.#known;
    return this.#write({ ...this.#told, state });
  }

  /** Leaves the run to whoever claims it next, and plays it until that one does. False where another ingest has written since. */
  offer(newest: NewestFrame, facts: RunFacts): Promise<boolean> {
    return this.#write({ ...this.#told, owner: NOBODY, newest, state: { kind: 'playing', ...facts } });
  }

  /** Leaves the run to whoever claims it next, and goes on with it. @param newest undefined where nothing was played. */
  giveBack(newest: NewestFrame | undefined): Promise<boolean> {
    return this.#write({ ...this.#told, owner: NOBODY, ...(newest && { newest }), state: claimed(this.#known) });
  }

  /** Forgets the run: its stream is no more and nothing of it was played. */
  async remove(): Promise<void> {
    await this.#runs.delete(this.run.stream, this.#revision);
  }

  /** The run with the epochs that its own does not tell. */
  get #told(): Run {
    const left = this.before;
    return { ...this.run, ...(left.length > 0 && { left }) };
  }

  /** One after the other: each names the revision of the one before. */
  #write(run: Run): Promise<boolean> {
    const written = this.#writing.then(() => this.#writeNext(run));
    this.#writing = written.catch(() => undefined);
    return written;
  }

  async #writeNext(run: Run): Promise<boolean> {
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

/** Whether the run plays this revision of the spec, or goes on under it. */
const isOf = (run: Run, spec: Entry<StreamSpec>): boolean =>
  run.specRevision === spec.revision ||
  (!isOver(run) && knownSource(run.state) !== undefined && goesOnUnder(run.spec, spec.value));

const claimed = (source: SourceFacts | undefined): RunState => ({ kind: 'claimed', ...(source && { source }) });

/** Unique for ever, sorting by time, and a token of subjects. */
const newRunId = (): string => `${Date.now().toString(36)}-${randomBytes(4).toString('hex')}`;
