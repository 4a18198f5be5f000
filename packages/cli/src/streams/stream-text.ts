/** Streams for people: a table of all, one in full, and a line of what one is doing now. */

import type { StreamReport } from '@stream-infer/core/stream-report';
import { formatTable } from '../terminal/table.ts';

export function streamTable(streams: readonly StreamReport[]): string {
  if (streams.length === 0) return 'there is no stream: add one with stream-infer streams add';
  return formatTable(
    ['stream', 'mode', 'state', 'source', 'owner', 'results', 'errors'],
    streams.map((stream) => [
      stream.id,
      stream.definition?.mode ?? '',
      stateOf(stream),
      sourceOf(stream),
      stream.owner ?? '',
      String(stream.results),
      String(stream.errors),
    ]),
    5,
  );
}

/** Everything of one stream, a line each. */
export function streamText(stream: StreamReport): string {
  const { id, definition, owner, run, results, errors, end, fault } = stream;
  const rows = [
    ['source', sourceOf(stream)],
    ['mode', definition?.mode ?? ''],
    ['fps', definition === null ? '' : String(definition.fps ?? "the source's")],
    ['owner', owner ?? ''],
    ['state', stateOf(stream)],
    ['run', run ?? ''],
    ['results', `${results}, ${errors} of them errors`],
    ['played', end ? `${end.played} frames of ${end.decoded} decoded` : ''],
    ['fault', fault ? `${fault.code}: ${fault.message}` : ''],
  ].filter(([, value]) => value !== '');
  const algorithms = (definition?.algorithms ?? []).map((entry) =>
    typeof entry === 'string' ? { name: entry } : entry,
  );
  const lines = algorithms.map((entry) => {
    const {
      name,
      as = name,
      interval,
      intervalFrames = 1,
    } = entry as Partial<Exclude<typeof entry, string>> & { name: string };
    const due = interval === undefined ? `every ${intervalFrames} frames` : `every ${interval} s`;
    return ['algorithm', as === name ? `${name}, ${due}` : `${as} (${name}), ${due}`];
  });
  return formatTable(['stream', id], [...rows, ...lines] as string[][]);
}

/** What it is doing now, on one line. */
export function statusLine(stream: StreamReport): string {
  const { id, results, errors } = stream;
  return `${id}  ${stateOf(stream)}  ${results} results${errors > 0 ? `, ${errors} errors` : ''}`;
}

const stateOf = ({ state, definition }: StreamReport): string => (definition === null ? `removed, ${state}` : state);

function sourceOf({ definition }: StreamReport): string {
  if (definition === null) return '';
  const { source, sourceFrom } = definition;
  if (source !== undefined) return source;
  if (sourceFrom === undefined) return '';
  return 'env' in sourceFrom ? `in the variable ${sourceFrom.env}` : `in ${sourceFrom.file}`;
}
