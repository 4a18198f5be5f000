/** Which streams and runs are stored, and how far they have come. */

import type { RunEnd } from '@stream-infer/core/result-record';
import type { FastifyInstance } from 'fastify';
import { ApiError } from './api-error.ts';
import { answer, BAD_REQUEST, NOT_FOUND, query, STREAM_PARAMETERS } from './api-schemas.ts';
import type { ResultQueries, RunSummary } from './result-queries.ts';

export type StreamParameters = { readonly id: string };
type RunQuery = { readonly run?: string };

export function streamRoutes(app: FastifyInstance, { store }: { readonly store: ResultQueries }): void {
  app.get(
    '/v1/streams',
    {
      schema: {
        operationId: 'listStreams',
        summary: 'Every stream with its newest run',
        querystring: query([]),
        response: {
          ...BAD_REQUEST,
          200: answer('By id.', {
            type: 'object',
            properties: { streams: { type: 'array', items: { $ref: 'StreamRun#' } } },
            required: ['streams'],
          }),
        },
      },
    },
    () => ({ streams: store.streams().map(streamRun) }),
  );

  app.get<{ Params: StreamParameters; Querystring: RunQuery }>(
    '/v1/streams/:id',
    {
      schema: {
        operationId: 'getStream',
        summary: 'One run of a stream: its state, counts and end',
        params: STREAM_PARAMETERS,
        querystring: query(['run']),
        response: { 200: answer('The run.', { $ref: 'StreamRun#' }), ...BAD_REQUEST, ...NOT_FOUND },
      },
    },
    ({ params, query: { run } }) => streamRun(findRun(store, params.id, run)),
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
      return { runs: store.runs(params.id).map(streamRun) };
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

function streamRun({ stream, run, results, errors, end: text }: RunSummary) {
  const end = text === null ? null : (JSON.parse(text) as RunEnd);
  return { id: stream, run, state: runState(end), results, errors, end };
}

function runState(end: RunEnd | null): 'running' | 'ended' | 'failed' {
  if (end === null) return 'running';
  return end.fault === null ? 'ended' : 'failed';
}
