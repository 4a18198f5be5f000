/** Streams are registered, changed and removed here, while everything runs. A stream played offline is a job: it starts when it is registered. */

import type { AlgorithmDefinition } from '@stream-infer/core/algorithm-definition';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Change } from './api-access.ts';
import {
  answer,
  BAD_REQUEST,
  CHANGED,
  CONFLICT,
  NOT_FOUND,
  PRECONDITIONS,
  query,
  STREAM_BODY,
  STREAM_PARAMETERS,
  TOO_LARGE,
  withEtag,
} from './api-schemas.ts';
import { etagOf, parsePrecondition } from './precondition.ts';
import type { StreamEntry } from './stream-registry.ts';
import { requestedStream, withRegisteredSource } from './stream-request.ts';
import { changedView, type StreamParameters, type StreamRouteOptions } from './stream-routes.ts';

export type RegistryRouteOptions = StreamRouteOptions & {
  /** Which there are in this installation now. */
  readonly algorithms: () => readonly AlgorithmDefinition[];
  /** What its ingests may open (`sources.allow`); undefined where they alone know. */
  readonly allow: readonly string[] | undefined;
};

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the document tells of the body, which no validator of the framework reads. */
    readonly body?: object;
  }
}

type OwnerQuery = { readonly owner?: string };
type PutQuery = OwnerQuery & { readonly ifChanged?: boolean };
const changeTo = ({ value: { owner }, revision }: StreamEntry, before: number | null): Change => ({
  ...(owner !== undefined && { owner }),
  revisionBefore: before,
  revisionAfter: revision,
});

type Preconditions = { readonly 'if-match'?: string; readonly 'if-none-match'?: string };

const STREAM = { $ref: 'Stream#' };

export function registryRoutes(app: FastifyInstance, options: RegistryRouteOptions): void {
  const { registry, algorithms, allow } = options;
  const send = async (reply: FastifyReply, status: number, entry: StreamEntry) =>
    reply
      .code(status)
      .header('etag', etagOf(entry.revision))
      .send(await changedView(entry, options));

  app.post<{ Querystring: OwnerQuery }>(
    '/v1/streams',
    {
      config: { body: STREAM_BODY },
      schema: {
        operationId: 'addStream',
        summary: 'Registers a stream, which begins to play',
        querystring: query(['owner']),
        response: {
          201: withEtag(answer('The stream.', STREAM)),
          ...BAD_REQUEST,
          ...CONFLICT,
          ...TOO_LARGE,
        },
      },
    },
    async (request, reply) => {
      const { owner } = request.query;
      const entry = await registry.create(
        requestedStream({ body: request.body, owner, algorithms: algorithms(), allow }),
      );
      request.change = { stream: entry.key, ...changeTo(entry, null) };
      return send(reply.header('location', `/v1/streams/${entry.key}`), 201, entry);
    },
  );

  app.put<{ Params: StreamParameters; Querystring: PutQuery; Headers: Preconditions }>(
    '/v1/streams/:id',
    {
      config: { body: STREAM_BODY },
      schema: {
        operationId: 'putStream',
        summary: 'Registers a stream or replaces what is registered; another run begins',
        description:
          'With If-Match, what another has written meanwhile is not written over, and a source that is what answers show of the registered one, *** in place of a password, stands for that one. The body may leave the id out.',
        params: STREAM_PARAMETERS,
        querystring: query(['owner', 'ifChanged']),
        headers: PRECONDITIONS,
        response: {
          200: withEtag(answer('The stream, replaced.', STREAM)),
          201: withEtag(answer('The stream, registered.', STREAM)),
          ...BAD_REQUEST,
          ...CONFLICT,
          ...CHANGED,
          ...TOO_LARGE,
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { owner, ifChanged = false } = request.query;
      const precondition = parsePrecondition(request.headers);
      // What is no stream is refused before anything is asked.
      const mayLeaveOut = precondition.ifMatch !== undefined;
      const stream = requestedStream({ body: request.body, id, owner, algorithms: algorithms(), allow, mayLeaveOut });
      const { entry, before } = await registry.replace(id, { precondition, ifChanged }, (standing) => ({
        ...(standing?.owner !== undefined && { owner: standing.owner }),
        ...withRegisteredSource(stream, standing),
      }));
      request.change = changeTo(entry, before);
      return send(reply, before === null ? 201 : 200, entry);
    },
  );

  app.delete<{ Params: StreamParameters; Querystring: object; Headers: Preconditions }>(
    '/v1/streams/:id',
    {
      schema: {
        operationId: 'removeStream',
        summary: 'Removes a stream from the registry; its results stay',
        params: STREAM_PARAMETERS,
        querystring: query([]),
        headers: PRECONDITIONS,
        response: {
          204: { description: 'It is removed.', type: 'null' },
          ...BAD_REQUEST,
          ...NOT_FOUND,
          ...CHANGED,
        },
      },
    },
    async (request, reply) => {
      const before = await registry.remove(request.params.id, parsePrecondition(request.headers));
      request.change = { revisionBefore: before, revisionAfter: null };
      return reply.code(204).send();
    },
  );
}
