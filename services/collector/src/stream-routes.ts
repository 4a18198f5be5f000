/** Which streams and runs there are, and how far they have come. */

import type { Run } from '@stream-infer/core/run';
import type { StreamReport } from '@stream-infer/core/stream-report';
import type { FastifyInstance } from 'fastify';
import { ApiError } from './api-error.ts';
import { answer, BAD_REQUEST, NOT_FOUND, query, STREAM_PARAMETERS, withEtag } from './api-schemas.ts';
import type { ForgottenEnds } from './forgotten-ends.ts';
import type { ShownStream } from './metrics.ts';
import { etagOf } from './precondition.ts';
import type { ResultQueries, RunSummary } from './result-queries.ts';
import type { StatusBoard } from './status-board.ts';
import { isStoreAbsence } from './store-absence.ts';
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
    async () => ({ streams: await allStreams(options) }),
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
    async ({ params }) => {
      await findRun(store, params.id);
      return { runs: (await store.runs(params.id)).map(runView) };
    },
  );
}

/**
 * The newest run of the stream unless one is named. Throws UNKNOWN_STREAM and UNKNOWN_RUN.
 * @param absent what is told where there is none.
 */
export async function findRun(
  store: ResultQueries,
  stream: string,
  run?: string,
  absent = `nothing of a stream ${stream} is stored`,
): Promise<RunSummary> {
  const newest = await store.run(stream);
  if (newest === undefined) throw new ApiError('UNKNOWN_STREAM', absent);
  const found = run === undefined ? newest : await store.run(stream, run);
  if (found === undefined) throw new ApiError('UNKNOWN_RUN', `nothing of a run ${run} of stream ${stream} is stored`);
  return found;
}

/** The state of every registered stream, as metrics show it. */
export async function shownStreams(options: StreamRouteOptions): Promise<readonly ShownStream[]> {
  const streams = playedStreams(options);
  // While the store is away that an end is stored cannot be known, and the rest is.
  const stored = await storedRuns(streams, options).catch((error: unknown) => {
    if (!isStoreAbsence(error)) throw error;
    return new Map<string, RunSummary>();
  });
  return streams.map(({ entry, run }) => {
    const view = viewOf(entry, run, stored.get(entry.key), options);
    return { stream: entry.key, mode: entry.value.mode, state: view.source?.state ?? 'waiting' };
  });
}

/** Of every stream that is registered or has results, by id. */
async function allStreams(options: StreamRouteOptions): Promise<StreamReport[]> {
  const streams = playedStreams(options);
  const newest = new Map((await options.store.streams()).map((summary) => [summary.stream, summary]));
  const stored = await storedRuns(streams, options);
  const views = streams.map(({ entry, run }) => viewOf(entry, run, stored.get(entry.key), options));
  for (const { entry } of streams) newest.delete(entry.key);
  const others = [...newest].map(([id, summary]) => streamView(id, undefined, undefined, summary, options.board.of));
  return [...views, ...others].sort((a, b) => (a.id < b.id ? -1 : 1));
}

type PlayedStream = { readonly entry: StreamEntry; readonly run: Run | undefined };

/** Those that are registered, each with its newest run; one that plays a replay is nobody's stream. */
const playedStreams = ({ registry }: StreamRouteOptions): PlayedStream[] =>
  registry
    .streams()
    .filter(({ value }) => !value.replay)
    .map((entry) => ({ entry, run: currentRun(entry, registry.run(entry.key)) }));

/** What is stored of those runs, by stream. */
async function storedRuns(
  streams: readonly PlayedStream[],
  { store }: StreamRouteOptions,
): Promise<ReadonlyMap<string, RunSummary>> {
  const summaries = await store.runsOf(streams.flatMap(({ run }) => run ?? []));
  return new Map(summaries.map((summary) => [summary.stream, summary]));
}

/** A registered stream with its newest run. */
async function newestView(registered: StreamEntry, options: StreamRouteOptions): Promise<StreamReport> {
  const { store, registry } = options;
  const run = currentRun(registered, registry.run(registered.key));
  return viewOf(registered, run, run && (await store.run(run.stream, run.run)), options);
}

/** The same behind a change: it is made, and is told of also while the store is away, without what is stored. */
export async function changedView(registered: StreamEntry, options: StreamRouteOptions): Promise<StreamReport> {
  try {
    return await newestView(registered, options);
  } catch (error) {
    if (!isStoreAbsence(error)) throw error;
    return viewOf(registered, currentRun(registered, options.registry.run(registered.key)), undefined, options);
  }
}

const viewOf = (
  registered: StreamEntry,
  run: Run | undefined,
  stored: RunSummary | undefined,
  { board, forgotten }: StreamRouteOptions,
): StreamReport => streamView(registered.key, registered, run, stored ?? (run && forgotten.of(run.run)), board.of);

/** A run that is named, or the newest that is stored. Throws UNKNOWN_STREAM and UNKNOWN_RUN. */
async function runOf(
  id: string,
  named: string | undefined,
  { store, registry, board }: StreamRouteOptions,
): Promise<StreamReport> {
  const newest = registry.run(id);
  const run = newest?.run === named ? newest : undefined;
  const registered = registry.stream(id);
  const absent = registered ? undefined : `no stream ${id} is registered, and nothing of one is stored`;
  const stored = run ? await store.run(id, run.run) : await findRun(store, id, named, absent);
  return streamView(id, registered, run, stored, board.of);
}
