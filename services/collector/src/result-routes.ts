/** The results of a stream: the aggregate, the newest of each algorithm, and their removal. */

import { setImmediate } from 'node:timers/promises';
import type { Logger } from '@stream-infer/service-kit/logger';
import type { FastifyInstance } from 'fastify';
import { aggregateText } from './aggregate-text.ts';
import { ApiError } from './api-error.ts';
import { answer, BAD_REQUEST, NOT_FOUND, query, STREAM_PARAMETERS } from './api-schemas.ts';
import type { CollectorMetrics } from './metrics.ts';
import type { ResultStore } from './result-store.ts';
import { findRun, type StreamParameters } from './stream-routes.ts';
import { sendText } from './text-answer.ts';
import { timeRange } from './time-range.ts';

export type ResultRouteOptions = {
  readonly store: ResultStore;
  readonly metrics: CollectorMetrics;
  readonly logger: Logger;
};

type Filter = { readonly run?: string; readonly algorithm?: string };
type RangeFilter = Filter & { readonly from?: string; readonly to?: string };

/** Rows that one step of a removal takes. */
const STEP_RESULTS = 1_000;
const JSON_TYPE = 'application/json; charset=utf-8';

/** In steps; how many there were. */
async function clearSeries(store: ResultStore, seriesId: number, through: number): Promise<number> {
  let removed = 0;
  for (let step = STEP_RESULTS; step === STEP_RESULTS; ) {
    step = await store.clearSeries(seriesId, through, STEP_RESULTS);
    removed += step;
    await setImmediate();
  }
  return removed;
}

export function resultRoutes(app: FastifyInstance, { store, metrics, logger }: ResultRouteOptions): void {
  app.get<{ Params: StreamParameters; Querystring: RangeFilter }>(
    '/v1/streams/:id/results',
    {
      schema: {
        operationId: 'getResults',
        summary: 'The results of a run by algorithm and time',
        description: 'Algorithms are sorted and time keys ascend as numbers. A range takes from, and leaves out to.',
        params: STREAM_PARAMETERS,
        querystring: query(['run', 'algorithm', 'from', 'to']),
        response: { 200: answer('The aggregate.', { $ref: 'Aggregate#' }), ...BAD_REQUEST, ...NOT_FOUND },
      },
    },
    async ({ params, query: { run, algorithm, from, to } }, reply) => {
      const range = timeRange(from, to);
      if (range.fromMs > range.toMs) throw new ApiError('BAD_REQUEST', 'query parameter to must not be before from');
      const series = await store.series((await findRun(store, params.id, run)).id, algorithm);
      return sendText(reply, JSON_TYPE, aggregateText(store, series, range), logger);
    },
  );

  app.get<{ Params: StreamParameters; Querystring: Filter }>(
    '/v1/streams/:id/results/last',
    {
      schema: {
        operationId: 'getLastResults',
        summary: 'The newest record of each algorithm of a run',
        params: STREAM_PARAMETERS,
        querystring: query(['run', 'algorithm']),
        response: {
          200: answer('Records by algorithm.', { type: 'object', additionalProperties: { $ref: 'ResultRecord#' } }),
          ...BAD_REQUEST,
          ...NOT_FOUND,
        },
      },
    },
    async ({ params, query: { run, algorithm } }, reply) => {
      const series = await store.series((await findRun(store, params.id, run)).id, algorithm);
      const members = await Promise.all(
        series.map(async ({ id, algorithm: name }) => {
          const record = await store.newest(id);
          // The series may have been removed meanwhile.
          return record === undefined ? [] : [`${JSON.stringify(name)}:${record}`];
        }),
      );
      return reply.type(JSON_TYPE).send(`{${members.flat().join(',')}}`);
    },
  );

  app.delete<{ Params: StreamParameters; Querystring: Filter }>(
    '/v1/streams/:id/results',
    {
      schema: {
        operationId: 'clearResults',
        summary: 'Removes the results of a stream that are stored now',
        description: 'Of all runs unless one is named. A run that goes on keeps storing what comes after.',
        params: STREAM_PARAMETERS,
        querystring: query(['run', 'algorithm'], { run: 'Id of a run; without it all of them.' }),
        response: {
          200: answer('How many there were.', {
            type: 'object',
            properties: { removed: { type: 'integer', minimum: 0 } },
            required: ['removed'],
          }),
          ...BAD_REQUEST,
          ...NOT_FOUND,
        },
      },
    },
    async (request) => {
      const { params } = request;
      const { run, algorithm } = request.query;
      const named = await findRun(store, params.id, run);
      const runs = run === undefined ? await store.runs(params.id) : [named];
      const { position: through } = await store.progress();
      let removed = 0;
      for (const each of runs)
        for (const { id } of await store.series(each.id, algorithm)) removed += await clearSeries(store, id, through);
      metrics.removed.inc({ reason: 'clear' }, removed);
      request.change = { removed };
      return { removed };
    },
  );
}
