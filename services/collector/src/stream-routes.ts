/** Which streams and runs there are, and how far they have come. */

import type { StreamReport } from '@stream-infer/core/stream-report';
import type { FastifyInstance } from 'fastify';
import { ApiError } from './api-error.ts';
import { answer, BAD_REQUEST, NOT_FOUND, query, STREAM_PARAMETERS, withEtag } from './api-schemas.ts';
import type { ForgottenEnds } from './forgotten-ends.ts';
import type { ShownStream } from './metrics.ts';
import { etagOf } from './precondition.ts';
import type { ResultQueries, RunSummary } from './result-queries.ts';
import type { StatusBoard } from './status-board.ts';
import { currentRun, type StreamEntry, type StreamRegistry } from './stream-registry.ts';
import { runView, streamView } from './stream-view.ts';

export type StreamParameters = { readonly id: string };
type RunQuery = { readonly run?: string };

export type StreamRouteOptions = {
  readonly store: ResultQueries;
  readonly registry: StreamRegistry;
  readonly board: StatusBoard;
  readonly forgotten: ForgottenEnds;
};

export function streamRoutes(app: FastifyInstance, options: StreamRouteOptions): void {
  const { store, registry } = options;
  app.get(
    '/v1/streams',
    {
      schema: {
        operationId: 'listStreams',
        summary: 'Every stream that is registered or has results, with its newest run',
        querystring: query([]),
        response: {
          ...BAD_REQUEST,
          200: answer('By id.', {
            type: 'object',
            properties: { streams: { type: 'array', items: { $ref: 'Stream#' } } },
            required: ['streams'],
          }),
        },
      },
    },
    () => ({ streams: allStreams(options) }),
  );

  app.get<{ Params: StreamParameters; Querystring: RunQuery }>(
    '/v1/streams/:id',
    {
      schema: {
        operationId: 'getStream',
        summary: 'A stream, and one run of it: its state, counts and end',
        params: STREAM_PARAMETERS,
        querystring: query(['run']),
        response: {
          200: withEtag(answer('The stream.', { $ref: 'Stream#' })),
          ...BAD_REQUEST,
          ...NOT_FOUND,
        },
      },
    },
    ({ params: { id }, query: { run } }, reply) => {
      const registered = registry.stream(id);
      if (registered) void reply.header('etag', etagOf(registered.revision));
      return registered && run === undefined ? newestView(registered, options) : runOf(id, run, options);
    },
  );

  app.get<{ Params: StreamParameters }>(
    '/v1/streams/:id/runs',
    {
      schema: {
        operationId: 'listRuns',
        summary: 'Every run of a stream, newest first',
        params: STREAM_PARAMETERS,
        querystring: query([]),
        response: {
          200: answer('The runs.', {
            type: 'object',
            properties: { runs: { type: 'array', items: { $ref: 'StreamRun#' } } },
            required: ['runs'],
          }),
          ...BAD_REQUEST,
          ...NOT_FOUND,
        },
      },
    },
    ({ params }) => {
      findRun(store, params.id);
      return { runs: store.runs(params.id).map(runView) };
    },
  );
}

/** The newest run of the stream unless one is named. Throws UNKNOWN_STREAM and UNKNOWN_RUN. */
export function findRun(store: ResultQueries, stream: string, run?: string): RunSummary {
  const newest = store.run(stream);
  if (newest === undefined) throw new ApiError('UNKNOWN_STREAM', `nothing of a stream ${stream} is stored`);
  const found = run === undefined ? newest : store.run(stream, run);
  if (found === undefined) throw new ApiError('UNKNOWN_RUN', `nothing of a run ${run} of stream ${stream} is stored`);
  return found;
}

/** The state of every registered stream, as metrics show it. */
export function shownStreams(options: StreamRouteOptions): readonly ShownStream[] {
  return options.registry.streams().flatMap((entry) => {
    const { mode, replay } = entry.value;
    return replay ? [] : [{ stream: entry.key, mode, state: newestView(entry, options).source?.state ?? 'waiting' }];
  });
}

/** Of every stream that is registered or has results, by id; one that plays a replay is nobody's stream. */
function allStreams(options: StreamRouteOptions): StreamReport[] {
  const { store, registry, board } = options;
  const registered = new Map(
    registry.streams().flatMap((entry) => (entry.value.replay ? [] : [[entry.key, entry] as const])),
  );
  const stored = new Map(store.streams().map((summary) => [summary.stream, summary]));
  return [...new Set([...registered.keys(), ...stored.keys()])].sort().map((id) => {
    const entry = registered.get(id);
    return entry ? newestView(entry, options) : streamView(id, undefined, undefined, stored.get(id), board.of);
  });
}

/** A registered stream with its newest run. */
export function newestView(
  registered: StreamEntry,
  { store, registry, board, forgotten }: StreamRouteOptions,
): StreamReport {
  const id = registered.key;
  const run = currentRun(registered, registry.run(id));
  const stored = run && (store.run(id, run.run) ?? forgotten.of(run.run));
  return streamView(id, registered, run, stored, board.of);
}

/** A run that is named, or the newest that is stored. Throws UNKNOWN_STREAM and UNKNOWN_RUN. */
function runOf(id: string, named: string | undefined, { store, registry, board }: StreamRouteOptions): StreamReport {
  const newest = registry.run(id);
  const run = newest?.run === named ? newest : undefined;
  const stored = run ? store.run(id, run.run) : findRun(store, id, named);
  return streamView(id, registry.stream(id), run, stored, board.of);
}
