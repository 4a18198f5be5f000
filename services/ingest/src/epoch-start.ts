/**
 * With which frame an epoch begins (EX-4, EX-8): a file is decoded from its beginning again, and what is answered is not published
 * again; a camera goes on where the time has come to, and nothing is replayed. Pure.
 */

import { resumeFrom } from '@stream-infer/core/resume';
import type { NewestFrame, Run } from '@stream-infer/core/run';
import type { SamplePlan } from '@stream-infer/core/sample-plan';

/**
 * `first`: as the plan says. `again`: nothing before `fromN` is published. `onward`: a frame that comes at `atMs`, of the wall clock, would be played
 * `firstN`; the first that comes is numbered by when it does, and the others by their own times from there.
 */
export type EpochStart =
  | { readonly kind: 'first' }
  | { readonly kind: 'again'; readonly fromN: number }
  | { readonly kind: 'onward'; readonly firstN: number; readonly atMs: number };

/** The number of the first slot, sampling by time. */
export const firstSlotOf = (start: EpochStart): number => (start.kind === 'onward' ? start.firstN : 1);

export type EpochStartFacts = {
  readonly run: Pick<Run, 'spec' | 'startedAtMs'>;
  readonly plan: SamplePlan;
  /** Whether frames come at the source's own time. */
  readonly live: boolean;
  /** By algorithm: n behind which its windows are run (bus/result-progress.ts). */
  readonly runsAfter: ReadonlyMap<string, number>;
  /** Of the run, as far as it is known here. */
  readonly newest: NewestFrame | undefined;
  /** Wall clock, milliseconds since 1970; the run's beginning is on it too. */
  readonly nowMs: number;
};

/** Of an epoch that is not its run's first. */
export function laterEpochStart(facts: EpochStartFacts): EpochStart {
  const { run, plan, live, runsAfter, newest, nowMs } = facts;
  if (run.spec.mode === 'offline') return { kind: 'again', fromN: resumeFrom(plan, runsAfter) };
  // A file is decoded ahead of its time.
  const known = (live ? newest : undefined) ?? { n: plan.firstN, atMs: run.startedAtMs };
  const elapsedMs = Math.max(0, nowMs - known.atMs);
  const played = Math.floor((elapsedMs * plan.fps.num) / (plan.fps.den * 1_000));
  const next = Math.max(newest?.n ?? 0, ...runsAfter.values()) + 1;
  const n = Math.max(next, known.n + played);
  return live ? { kind: 'onward', firstN: n, atMs: nowMs } : { kind: 'again', fromN: n };
}
