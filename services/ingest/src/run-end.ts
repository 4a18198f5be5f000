/**
 * The end of a run that never reached the scheduler: published by the ingest in its place, so that whoever waits for the run
 * learns of its fault.
 */

import type { Bus } from '@stream-infer/bus/bus';
import { busErrorKind } from '@stream-infer/bus/bus-error';
import { publishRunEnd } from '@stream-infer/bus/result-stream';
import { canonicalJson } from '@stream-infer/core/canonical-json';
import { type Fault, faultJson } from '@stream-infer/core/fault';
import type { AlgorithmTotals, RunEnd } from '@stream-infer/core/result-record';
import type { Run } from '@stream-infer/core/run';

const NOTHING: AlgorithmTotals = { triggered: 0, completed: 0, failed: 0, dropped: {} };
const RETRY_MS = 500;

export type FailedRun = { readonly fault: Fault; readonly signal: AbortSignal };

/** Publishes it, waiting for the result stream where the scheduler has not made it yet; gives up when the signal aborts. */
export async function publishFailedRun(
  bus: Bus,
  { stream, run, spec, startedAtMs }: Run,
  { fault, signal }: FailedRun,
): Promise<void> {
  const end: RunEnd = {
    stream,
    run,
    decoded: 0,
    played: 0,
    published: 0,
    lastPlayed: 0,
    algorithms: Object.fromEntries(spec.algorithms.map(({ name }) => [name, NOTHING])),
    elapsedMs: Math.max(0, Date.now() - startedAtMs),
    fault: faultJson(fault),
  };
  const bytes = new TextEncoder().encode(canonicalJson(end));
  while (!signal.aborted) {
    try {
      return await publishRunEnd(bus, { stream, run, spec }, bytes);
    } catch (error) {
      if (!['timeout', 'no-responders', 'full'].includes(busErrorKind(error))) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
