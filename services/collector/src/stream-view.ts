/** What the API tells of a stream: what is registered, and how far its run has come. Never a password (I8). */

import type { FaultJson } from '@stream-infer/core/fault';
import { redactUrl } from '@stream-infer/core/redact-url';
import { definitionOf } from '@stream-infer/core/registered-stream';
import type { RunEnd } from '@stream-infer/core/result-record';
import type { Run } from '@stream-infer/core/run';
import type { StreamDefinitionInput } from '@stream-infer/core/stream-definition';
import type { RunSummary } from './result-queries.ts';
import type { StreamEntry } from './stream-registry.ts';

/** A run as far as it is stored. */
export type RunView = {
  readonly id: string;
  readonly run: string;
  readonly state: 'running' | 'ended' | 'failed';
  readonly results: number;
  readonly errors: number;
  readonly end: RunEnd | null;
};

/** A stream with one of its runs; without one it waits for an ingest. */
export type StreamView = Omit<RunView, 'run' | 'state'> & {
  readonly run: string | null;
  readonly state: RunView['state'] | 'waiting';
  readonly fault: FaultJson | null;
  readonly definition: StreamDefinitionInput | null;
  readonly owner: string | null;
};

export function runView({ stream, run, results, errors, end: text }: RunSummary): RunView {
  const end = text === null ? null : (JSON.parse(text) as RunEnd);
  return { id: stream, run, state: runState(end), results, errors, end };
}

function runState(end: RunEnd | null): RunView['state'] {
  if (end === null) return 'running';
  return end.fault === null ? 'ended' : 'failed';
}

const WAITING = { run: null, state: 'waiting', results: 0, errors: 0, end: null } as const;

/**
 * @param registered undefined where only results are left of it.
 * @param run its run that is told of, as the registry has it; undefined where it is not the newest, or none has begun.
 * @param stored the same, as far as it is stored.
 */
export function streamView(
  id: string,
  registered: StreamEntry | undefined,
  run: Run | undefined,
  stored: RunSummary | undefined,
): StreamView {
  const view = stored ? runView(stored) : run ? { ...WAITING, run: run.run, state: 'running' as const } : WAITING;
  const told = run?.state.kind === 'failed' ? run.state.fault : null;
  return {
    ...view,
    id,
    fault: view.end?.fault ?? told,
    definition: registered ? shownDefinition(registered) : null,
    owner: registered?.value.owner ?? null,
  };
}

function shownDefinition({ value }: StreamEntry): StreamDefinitionInput {
  const { source, ...definition } = definitionOf(value);
  return { ...definition, ...(source !== undefined && { source: redactUrl(source) }) };
}

/** The run that the registry tells of, unless what is registered has changed since: then the next is yet to begin. */
export const currentRun = (registered: StreamEntry, run: Run | undefined): Run | undefined =>
  run?.specRevision === registered.revision ? run : undefined;
