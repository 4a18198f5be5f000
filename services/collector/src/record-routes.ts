/** Whole records of a stream, page by page or all at once. */

import type { Logger } from '@stream-infer/service-kit/logger';
import type { FastifyInstance } from 'fastify';
import { answer, BAD_REQUEST, NOT_FOUND, query, STREAM_PARAMETERS } from './api-schemas.ts';
import { parseCursor } from './record-cursor.ts';
import { recordLines, recordPage } from './record-text.ts';
import type { ResultQueries } from './result-queries.ts';
import { findRun, type StreamParameters } from './stream-routes.ts';
import { sendText } from './text-answer.ts';

export type RecordRouteOptions = { readonly store: ResultQueries; readonly logger: Logger };

type RecordQuerystring = {
  readonly run?: string;
  readonly algorithm?: string;
  readonly cursor?: string;
  readonly limit?: number;
};

const NDJSON = 'application/x-ndjson';
const DEFAULT_LIMIT = 100;

export function recordRoutes(app: FastifyInstance, { store, logger }: RecordRouteOptions): void {
  app.get<{ Params: StreamParameters; Querystring: RecordQuerystring }>(
    '/v1/streams/:id/records',
    {
      schema: {
        operationId: 'getRecords',
        summary: 'Whole records of a run, by n, then algorithm',
        description: `With Accept: ${NDJSON} all that are stored, a record a line; else a page and a cursor. Listen to events to follow a run that goes on.`,
        params: STREAM_PARAMETERS,
        querystring: query(['run', 'algorithm', 'cursor', 'limit'], {
          limit: `Records at most; a page has ${DEFAULT_LIMIT} unless told, and fewer where they are large.`,
        }),
        response: {
          200: answer('The records.', { $ref: 'RecordPage#' }, { [NDJSON]: { $ref: 'ResultRecord#' } }),
          ...BAD_REQUEST,
          ...NOT_FOUND,
        },
      },
    },
    async ({ params, query: { run, algorithm, cursor, limit }, headers: { accept } }, reply) => {
      const selection = {
        runId: (await findRun(store, params.id, run)).id,
        ...(algorithm !== undefined && { algorithm }),
        ...(cursor !== undefined && { after: parseCursor(cursor) }),
      };
      void reply.header('vary', 'accept');
      if (accept?.includes(NDJSON)) {
        const lines = recordLines(store, { ...selection, ...(limit !== undefined && { limit }) });
        return sendText(reply, NDJSON, lines, logger);
      }
      return reply
        .type('application/json; charset=utf-8')

        .send(await recordPage(store, { ...selection, limit: limit ?? DEFAULT_LIMIT }));
    },
  );
}
