/**
 * The end of a run that never reached the scheduler: published by the ingest in its place, so that whoever waits for the run
 * learns of its fault.
 */

import type { Bus } from '@stream-infer/bus/bus';
import { busErrorKind } from '@stream-infer/bus/bus-error';
import { publishRunEnd } from '@stream-infer/bus/result-stream';
import { canonicalJson } from '@stream-infer/core/canonical-json';
import { failedRunEnd } from '@stream-infer/core/failed-run-end';
import { type Fault, faultJson } from '@stream-infer/core/fault';
import type { Run } from '@stream-infer/core/run';

const RETRY_MS = 500;

export type FailedRun = { readonly fault: Fault; readonly signal: AbortSignal };

/** Publishes it, waiting for the result stream where the scheduler has not made it yet; gives up when the signal aborts. */
export async function publishFailedRun(bus: Bus, failed: Run, { fault, signal }: FailedRun): Promise<void> {
  const end = failedRunEnd(failed, faultJson(fault), Date.now() - failed.startedAtMs);
  const bytes = new TextEncoder().encode(canonicalJson(end));
  while (!signal.aborted) {
    try {
      return await publishRunEnd(bus, failed, bytes);
    } catch (error) {
      if (!['timeout', 'no-responders', 'full'].includes(busErrorKind(error))) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
