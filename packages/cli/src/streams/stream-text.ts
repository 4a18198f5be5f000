/** Streams for people: a table of all, one in full, and a line of what one is doing now. */

import type { AlgorithmNow, SourceNow, StreamReport } from '@stream-infer/core/stream-report';
import { formatDuration } from '../terminal/duration.ts';
import { formatTable } from '../terminal/table.ts';

/** Of others only results are left. */
export const isRegistered = ({ definition }: StreamReport): boolean => definition !== null;

/** @param more how many are removed, and left out. */
export function streamTable(streams: readonly StreamReport[], more = 0): string {
  const rest = more === 0 ? [] : [`and ${more} removed, of which results are left: --all lists them too`];
  const listed = streams.length === 0 ? 'there is no stream: add one with stream-infer streams add' : table(streams);
  return [listed, ...rest].join('\n');
}

function table(streams: readonly StreamReport[]): string {
  return formatTable(
    ['stream', 'mode', 'state', 'source', 'owner', 'fps', 'results', 'errors'],
    streams.map((stream) => [
      stream.id,
      stream.definition?.mode ?? '',
      stateOf(stream),
      sourceOf(stream),
      stream.owner ?? '',
      stream.source?.framesPerSecond?.toFixed(1) ?? '',
      String(stream.results),
      String(stream.errors),
    ]),
    5,
  );
}

/** Everything of one stream, a line each. */
export function streamText(stream: StreamReport): string {
  const { id, definition, owner, run, results, errors, source, fault } = stream;
  const rows: (readonly [string, string])[] = [
    ['source', sourceOf(stream)],
    ['mode', definition?.mode ?? ''],
    ['fps', definition === null ? '' : String(definition.fps ?? "the source's")],
    ['owner', owner ?? ''],
    ['state', stateOf(stream)],
    ['since', source?.sinceMs == null ? '' : new Date(source.sinceMs).toISOString()],
    ['lost by', source?.fault ? `${source.fault.code}: ${source.fault.message}` : ''],
    ['next try', nextTry(source)],
    ['run', run ?? ''],
    ['frames', framesOf(stream)],
    ['results', `${results}, ${errors} of them errors`],
    ...Object.entries(stream.algorithms).flatMap(algorithmRows),
    ['fault', fault ? `${fault.code}: ${fault.message}` : ''],
  ];
  return formatTable(
    ['stream', id],
    rows.filter(([, value]) => value !== ''),
  );
}

/** With the error that it failed with last, which a collector of an older version does not tell. */
function algorithmRows([name, now]: readonly [string, AlgorithmNow]): (readonly [string, string])[] {
  const { lastError } = now;
  const told = lastError ? `${name}: ${lastError.code}: ${lastError.message}` : '';
  return [
    ['algorithm', algorithmText(name, now)],
    ['last error', told],
  ];
}

/** Of a lost source. A collector of an older version does not tell. */
function nextTry(source: SourceNow | null): string {
  if (source?.retryInMs == null) return '';
  return source.retryInMs === 0 ? 'now' : `in ${formatDuration(source.retryInMs / 1_000)}`;
}

/** What it is doing now, on one line. */
export function statusLine(stream: StreamReport): string {
  const { id, algorithms } = stream;
  const parts = [
    id,
    stateOf(stream),
    framesOf(stream),
    ...Object.entries(algorithms).map((entry) => algorithmText(...entry)),
  ];
  return parts.filter((part) => part !== '').join('  ');
}

/** Of the run, and of its source where that tells more; of one that failed by what. */
function stateOf({ state, source, definition, fault }: StreamReport): string {
  if (definition === null) return `removed, ${state}`;
  if (state === 'failed' && fault) return `failed, ${fault.code}`;
  if (state !== 'running' || source === null) return state;
  return source.reason === null || source.reason === 'frames' ? source.state : `${source.state}, ${source.reason}`;
}

function framesOf({ source }: StreamReport): string {
  if (source?.decoded == null) return '';
  const rate = source.framesPerSecond === null ? '' : `${source.framesPerSecond.toFixed(1)} fps, `;
  const age = source.lastFrameAgeMs === null ? '' : `, the last ${seconds(source.lastFrameAgeMs)} ago`;
  return `${rate}${source.decoded} frames decoded, ${source.published} needed and published${age}`;
}

function algorithmText(
  name: string,
  { state, lastResultAgeMs, lateMs, completed, failed, dropped }: AlgorithmNow,
): string {
  const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0);
  return [
    `${name}: ${completed} results`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(lost > 0 ? [`${lost} dropped`] : []),
    ...(state === 'followed' && lastResultAgeMs !== null ? [`the last ${seconds(lastResultAgeMs)} ago`] : []),
    ...(lateMs ? [`${seconds(lateMs)} late`] : []),
    ...(state === 'unknown' ? ['not heard of'] : []),
  ].join(', ');
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

function sourceOf({ definition }: StreamReport): string {
  if (definition === null) return '';
  const { source, sourceFrom } = definition;
  if (source !== undefined) return source;
  if (sourceFrom === undefined) return '';
  return 'env' in sourceFrom ? `the variable ${sourceFrom.env}` : `the file ${sourceFrom.file}`;
}
