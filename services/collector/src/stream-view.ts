/** What the API tells of a stream, put together from the registry and the store. Never a password (I8). */

import { redactUrl } from '@stream-infer/core/redact-url';
import { definitionOf } from '@stream-infer/core/registered-stream';
import type { RunEnd } from '@stream-infer/core/result-record';
import type { Run } from '@stream-infer/core/run';
import type { StreamDefinitionInput } from '@stream-infer/core/stream-definition';
import type { RunReport, StreamReport } from '@stream-infer/core/stream-report';
import type { RunSummary } from './result-queries.ts';
import type { StatusBoard } from './status-board.ts';
import type { StreamEntry } from './stream-registry.ts';
import { algorithmsNow, sourceNow } from './stream-status.ts';

export function runView({ stream, run, results, errors, end: text }: RunSummary): RunReport {
  const end = text === null ? null : (JSON.parse(text) as RunEnd);
  return { id: stream, run, state: runState(end), results, errors, end };
}

function runState(end: RunEnd | null): RunReport['state'] {
  if (end === null) return 'running';
  return end.fault === null ? 'ended' : 'failed';
}

const WAITING = { run: null, state: 'waiting', results: 0, errors: 0, end: null } as const;

/**
 * @param registered undefined where only results are left of it.
 * @param run its run that is told of, as the registry has it; undefined where it is not the newest, or none has begun.
 * @param stored the same, as far as it is stored.
 * @param heard what ingests and schedulers told of it last.
 */
export function streamView(
  id: string,
  registered: StreamEntry | undefined,
  run: Run | undefined,
  stored: RunSummary | undefined,
  heard: StatusBoard['of'],
): StreamReport {
  const view = stored ? runView(stored) : run ? { ...WAITING, run: run.run, state: 'running' as const } : WAITING;
  const told = run?.state.kind === 'failed' ? run.state.fault : null;
  const moment = {
    state: run?.state,
    end: view.end,
    heard: view.run === null ? {} : heard(id, view.run),
    nowMs: performance.now(),
  };
  return {
    ...view,
    id,
    fault: view.end?.fault ?? told,
    source: view.run === null ? null : sourceNow(moment),
    algorithms: algorithmsNow(moment),
    definition: registered ? shownDefinition(registered) : null,
    owner: registered?.value.owner ?? null,
    revision: registered?.revision ?? null,
  };
}

function shownDefinition({ value }: StreamEntry): StreamDefinitionInput {
  const { source, ...definition } = definitionOf(value);
  return { ...definition, ...(source !== undefined && { source: redactUrl(source) }) };
}
