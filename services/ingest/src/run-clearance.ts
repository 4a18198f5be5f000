/**
 * What is left of runs whose stream is no more, and is nobody's to clear: the run of a stream that was removed after its run had ended, or while no
 * ingest played it, and a replay whose end is told. One ingest of all does it, so that the registry holds what is registered and no more.
 */

import type { Bucket, Entry } from '@stream-infer/bus/bucket';
import type { Bus } from '@stream-infer/bus/bus';
import { deleteFrameBuffers } from '@stream-infer/bus/frame-stream';
import { hasRunEnded } from '@stream-infer/bus/result-stream';
import { OrphanTimes } from '@stream-infer/core/assignment';
import { type Fault, toFault } from '@stream-infer/core/fault';
import type { Run } from '@stream-infer/core/run';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { epochsOf, isOver } from './run-claim.ts';

/**
 * `keep`: it is played, or is to be. `end`: its scheduler is told that nothing more comes. `remove`: once its end stands in RESULTS, or at once where nobody
 * follows it. `remove-replay`: the stream that played it too.
 */
export type Clearance = 'keep' | 'end' | 'remove' | 'remove-replay';

/** @param live ids of the ingests that are alive. */
export function clearanceOf(run: Run, spec: Entry<StreamSpec> | undefined, live: readonly string[]): Clearance {
  if (spec) return spec.value.replay && run.specRevision === spec.revision && isOver(run) ? 'remove-replay' : 'keep';
  if (isOver(run)) return 'remove';
  // Its own ingest ends it.
  if (live.includes(run.owner)) return 'keep';
  return run.state.kind === 'playing' ? 'end' : 'remove';
}

export type RunClearanceOptions = {
  readonly bus: Bus;
  readonly streams: Bucket<StreamSpec>;
  readonly runs: Bucket<Run>;
  report(fault: Fault): void;
};

/** What the registry holds, as far as it is known here. */
export type RegistryView = {
  readonly specs: ReadonlyMap<string, Entry<StreamSpec>>;
  readonly runs: ReadonlyMap<string, Entry<Run>>;
  readonly live: readonly string[];
};

export class RunClearance {
  readonly #options: RunClearanceOptions;
  /** A run may be heard of before its stream. */
  readonly #seen = new OrphanTimes();

  constructor(options: RunClearanceOptions) {
    this.#options = options;
  }

  /** To be called again and again, by one ingest at a time; never rejects. */
  async look({ specs, runs, live }: RegistryView, nowMs: number): Promise<void> {
    this.#seen.retain(runs);
    for (const [key, run] of runs) {
      const spec = specs.get(key);
      const clearance = clearanceOf(run.value, spec, live);
      if (!this.#seen.isOverdue(key, clearance !== 'keep', nowMs)) continue;
      try {
        if (await this.#clear(clearance, run, spec)) this.#seen.forget(key);
      } catch (error) {
        this.#options.report(toFault(error, 'BUS_FAILED', `what is left of stream ${key} cannot be removed`));
      }
    }
  }

  /** Whether something was done. */
  async #clear(clearance: Clearance, run: Entry<Run>, spec: Entry<StreamSpec> | undefined): Promise<boolean> {
    const { bus, streams, runs } = this.#options;
    const { key, value, revision } = run;
    if (value.state.kind === 'playing') {
      const { kind: _kind, ...facts } = value.state;
      const ended: Run = { ...value, state: { kind: 'ended', facts, removed: true } };
      return (await runs.update(key, ended, revision)) !== undefined;
    }
    if (isOver(value) && !(await hasRunEnded(bus, value))) return false;
    if (clearance === 'remove-replay' && spec) await streams.delete(key, spec.revision);
    // Whoever published the end of a run has deleted the buffer of its last epoch.
    await deleteFrameBuffers(bus, key, isOver(value) ? (value.left ?? []) : epochsOf(run));
    return runs.delete(key, revision);
  }
}
