/** What a run came to, for people as a table and for programs as one JSON object. */

import type { Fault, FaultJson } from '@stream-infer/core/fault';
import { faultJson } from '@stream-infer/core/fault';
import { redactUrl } from '@stream-infer/core/redact-url';
import type { AlgorithmTotals } from '@stream-infer/core/result-record';
import type { Mode } from '@stream-infer/core/stream-spec';
import { formatDuration } from '../terminal/duration.ts';
import { formatTable } from '../terminal/table.ts';
import { endNotes, planNotes } from './run-notes.ts';
import { type StreamResult, videoSeconds } from './run-result.ts';

/** Of one stream. Times are in the units of their names; what is not known is null. */
export type StreamSummary = {
  /** Without credentials. */
  readonly source: string | null;
  readonly mode: Mode;
  readonly run: string | null;
  /** Frames decoded, played (after sampling), and published for algorithms; of a live source since it was opened last. */
  readonly decoded: number;
  readonly played: number;
  readonly published: number;
  readonly elapsedMs: number | null;
  /** Seconds of the source that were decoded. */
  readonly videoSeconds: number | null;
  /** How many times faster than it plays. */
  readonly realtimeFactor: number | null;
  readonly algorithms: Readonly<Record<string, AlgorithmTotals>>;
  /** What was decided for the user, and what never came. */
  readonly notices: readonly string[];
  /** Why it ended other than by its source's end. */
  readonly fault: FaultJson | null;
};

/** What `run --json` prints. */
export type RunSummary = {
  readonly streams: Readonly<Record<string, StreamSummary>>;
  /** Path of the results, where they went to a file. */
  readonly output: string | null;
  /** Stream id → its annotated video. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly faults: readonly FaultJson[];
  /** 130 or 143 where it was interrupted. */
  readonly exitStatus: number;
};

export type RunSummaryParts = {
  readonly results: readonly StreamResult[];
  readonly output: string | null;
  readonly annotations: ReadonlyMap<string, string>;
  readonly faults: readonly Fault[];
  readonly exitStatus: number;
};

export function summarize({ results, output, annotations, faults, exitStatus }: RunSummaryParts): RunSummary {
  return {
    streams: Object.fromEntries(results.map((result) => [result.spec.id, summarizeStream(result)])),
    output,
    annotations: Object.fromEntries(annotations),
    faults: faults.map(faultJson),
    exitStatus,
  };
}

function summarizeStream(result: StreamResult): StreamSummary {
  const { spec, progress, end } = result;
  const seconds = videoSeconds(result);
  const status = progress?.status;
  return {
    source: spec.source === undefined ? null : redactUrl(spec.source),
    mode: spec.mode,
    run: progress?.run ?? null,
    decoded: end?.decoded ?? status?.decoded ?? 0,
    played: end?.played ?? 0,
    published: end?.published ?? status?.published ?? 0,
    elapsedMs: end?.elapsedMs ?? null,
    videoSeconds: seconds ?? null,
    realtimeFactor: end && seconds !== undefined && end.elapsedMs > 0 ? (seconds * 1000) / end.elapsedMs : null,
    algorithms: end?.algorithms ?? {},
    notices: progress?.playing
      ? [...progress.playing.notices, ...planNotes(spec, progress.playing.source), ...endNotes(result)]
      : [],
    fault: end?.fault ?? progress?.fault ?? null,
  };
}

/** A row for each stream and algorithm; the drops only where there are any. */
export function summaryTable(summary: RunSummary): string {
  const rows = Object.entries(summary.streams).flatMap(([id, stream]) => streamRows(id, stream));
  const dropped = rows.some((row) => row.dropped !== '0');
  const header = ['stream', 'algorithm', 'frames', 'invocations', 'results', 'errors'];
  return formatTable(
    [...header, ...(dropped ? ['dropped'] : []), 'elapsed', '× realtime'],
    rows.map((row) => [...row.cells, ...(dropped ? [row.dropped] : []), row.elapsed, row.rate]),
    2,
  );
}

type Row = {
  readonly cells: readonly string[];
  readonly dropped: string;
  readonly elapsed: string;
  readonly rate: string;
};

function streamRows(id: string, stream: StreamSummary): Row[] {
  const elapsed = stream.elapsedMs === null ? '-' : formatDuration(stream.elapsedMs / 1000);
  const rate = stream.realtimeFactor === null ? '-' : stream.realtimeFactor.toFixed(1);
  const frames = String(stream.decoded);
  const algorithms = Object.entries(stream.algorithms);
  if (algorithms.length === 0) return [{ cells: [id, '-', frames, '0', '0', '0'], dropped: '0', elapsed, rate }];
  return algorithms.map(([name, { triggered, completed, failed, dropped }]) => ({
    cells: [id, name, frames, String(triggered), String(completed), String(failed)],
    dropped: String(Object.values(dropped).reduce((sum, some) => sum + some, 0)),
    elapsed,
    rate,
  }));
}
