/** How a run is getting on, out of what was told of it last, how long ago that was, and whether it is over. Pure. */

import type { RunEnd } from '@stream-infer/core/result-record';
import type { RunState } from '@stream-infer/core/run';
import type { AlgorithmNow, SourceNow } from '@stream-infer/core/stream-report';
import { toldFault } from '@stream-infer/core/told-fault';
import type { HeardOf } from './status-board.ts';

/** After so long a silence nothing is known. */
const SILENCE_MS = 5_000;

export type RunMoment = {
  /** As the registry has it; undefined where it has another run by now. */
  readonly state: RunState | undefined;
  /** Once it is stored. */
  readonly end: RunEnd | null;
  readonly heard: HeardOf;
  /** The monotonic clock. */
  readonly nowMs: number;
};

const NOTHING: SourceNow = {
  state: 'unknown',
  reason: null,
  sinceMs: null,
  fault: null,
  retryInMs: null,
  framesPerSecond: null,
  decoded: null,
  published: null,
  lastFrameAgeMs: null,
};

const DONE = { lastResultAgeMs: null, lateMs: null } as const;

export function sourceNow({ state, end, heard: { source }, nowMs }: RunMoment): SourceNow {
  const silentMs = source ? nowMs - source.atMs : Number.POSITIVE_INFINITY;
  const told = source?.status;
  const figures: SourceNow = told
    ? {
        ...told.condition,
        // Anybody may announce.
        fault: told.fault ? toldFault(told.fault) : null,
        retryInMs: told.retryInMs == null ? null : Math.max(0, Math.round(told.retryInMs - silentMs)),
        framesPerSecond: told.framesPerSecond,
        decoded: told.decoded,
        published: told.published,
        lastFrameAgeMs: told.lastFrameAgeMs === null ? null : Math.round(told.lastFrameAgeMs + silentMs),
      }
    : NOTHING;
  const { decoded, published, lastFrameAgeMs } = figures;
  const over = overAs(state, end);
  if (over === undefined) return silentMs < SILENCE_MS ? figures : { ...NOTHING, decoded, published, lastFrameAgeMs };
  const toldSo = figures.state === over;
  return {
    ...figures,
    state: over,
    reason: toldSo ? figures.reason : over === 'ended' ? 'ended' : null,
    sinceMs: toldSo ? figures.sinceMs : null,
    fault: toldSo ? figures.fault : null,
    retryInMs: null,
    framesPerSecond: null,
    lastFrameAgeMs: null,
    ...(end && { decoded: end.decoded, published: end.published }),
  };
}

/** By name. The totals of a run that is over are those of its end. */
export function algorithmsNow({ end, heard: { lanes }, nowMs }: RunMoment): Record<string, AlgorithmNow> {
  const silentMs = lanes ? nowMs - lanes.atMs : Number.POSITIVE_INFINITY;
  const told = lanes?.status.algorithms ?? {};
  const names = [...new Set([...Object.keys(told), ...Object.keys(end?.algorithms ?? {})])].sort();
  return Object.fromEntries(
    names.flatMap((name): [string, AlgorithmNow][] => {
      const totals = end?.algorithms[name] ?? told[name];
      if (totals === undefined) return [];
      const { triggered, completed, failed, dropped } = totals;
      const { lastResultAgeMs = null, lateMs = null, lastError: error } = told[name] ?? {};
      const lastError = error ? toldFault(error) : null;
      if (end) return [[name, { state: 'ended', ...DONE, lastError, triggered, completed, failed, dropped }]];
      const state = silentMs < SILENCE_MS ? 'followed' : 'unknown';
      const age = lastResultAgeMs === null ? null : Math.round(lastResultAgeMs + silentMs);
      return [[name, { state, lastResultAgeMs: age, lateMs, lastError, triggered, completed, failed, dropped }]];
    }),
  );
}

function overAs(state: RunState | undefined, end: RunEnd | null): 'ended' | 'failed' | undefined {
  if (state?.kind === 'failed') return 'failed';
  if (state?.kind === 'ended' && end === null) return 'ended';
  if (end) return end.fault === null ? 'ended' : 'failed';
  return undefined;
}
