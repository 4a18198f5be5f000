/** The HTTP server of the API: validation, errors, and the OpenAPI document at /openapi.json, which is the reference. */

import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import swagger from '@fastify/swagger';
import { listenFault } from '@stream-infer/service-kit/health-server';
import type { Logger } from '@stream-infer/service-kit/logger';
import { type FastifyError, type FastifyInstance, fastify } from 'fastify';
import { API_ERRORS, ApiError, apiErrorBody, badRequest, type Refusal } from './api-error.ts';
import { SHARED_SCHEMAS } from './api-schemas.ts';
import { type EventRouteOptions, eventRoutes } from './event-routes.ts';
import { type RecordRouteOptions, recordRoutes } from './record-routes.ts';
import { type ResultRouteOptions, resultRoutes } from './result-routes.ts';
import { streamRoutes } from './stream-routes.ts';

export type ApiOptions = EventRouteOptions &
  RecordRouteOptions &
  ResultRouteOptions & {
    readonly host: string;
    readonly port: number;
  };

export type Api = {
  /** http://host:port */
  readonly address: string;
  /** Takes no new request and waits for those under way; event streams end when their signal aborts. */
  close(): Promise<void>;
};

/** Throws PORT_IN_USE. */
export async function startApi(options: ApiOptions): Promise<Api> {
  const { host, port } = options;
  const answering = new Set<ServerResponse>();
  const app = await createApp(options, answering);
  const address = await app.listen({ host, port }).catch(async (error: unknown) => {
    await app.close();
    throw listenFault(error, host, port);
  });
  return { address, close: () => closeApp(app, answering) };
}

/** Ends when the requests under way have been answered. A connection that has sent no request yet does not count as idle. */
async function closeApp(app: FastifyInstance, answering: ReadonlySet<ServerResponse>): Promise<void> {
  const closing = app.close();
  await Promise.all([...answering].map((response) => once(response, 'close')));
  app.server.closeAllConnections();
  await closing;
}

/** @param answering holds the answers that are under way */
async function createApp(options: ApiOptions, answering: Set<ServerResponse>): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    forceCloseConnections: 'idle',
    routerOptions: { ignoreTrailingSlash: true },
    // A HEAD of an event stream would never end.
    exposeHeadRoutes: false,
    // An unknown parameter is refused, not dropped, and one given twice is no list.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: true, useDefaults: false } },
  });
  app.addHook('onRequest', (_request, { raw }, next) => {
    answering.add(raw);
    raw.once('close', () => answering.delete(raw));
    next();
  });
  // Answers are written as they are; that they fit the schemas is for tests to say.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  for (const [name, schema] of Object.entries(SHARED_SCHEMAS)) app.addSchema({ $id: name, ...schema });
  setErrorHandlers(app, options.logger);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'stream-infer collector',
        version: '1',
        description: 'Results of algorithms over video, by stream, algorithm and time.',
      },
    },
    refResolver: { buildLocalReference: (json, _baseUri, _fragment, index) => String(json.$id ?? `def-${index}`) },
  });
  await app.register(async (routes) => {
    streamRoutes(routes, options);
    resultRoutes(routes, options);
    recordRoutes(routes, options);
    eventRoutes(routes, options);
  });
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  return app;
}

function setErrorHandlers(app: FastifyInstance, logger: Logger): void {
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0];
    const error = new ApiError('UNKNOWN_PATH', `${request.method} ${path} is not of this API: see GET /openapi.json`);
    return reply.code(API_ERRORS[error.code].status).send(apiErrorBody(error));
  });
  app.setErrorHandler((error: FastifyError | ApiError, request, reply) => {
    const answer = toApiError(error);
    if (answer.code === 'INTERNAL') logger.error({ err: error, route: request.routeOptions.url }, 'a request failed');
    return reply.code(API_ERRORS[answer.code].status).send(apiErrorBody(answer));
  });
}

function toApiError(error: FastifyError | ApiError): ApiError {
  if (error instanceof ApiError) return error;
  if (error.validation) return badRequest(error.validation[0] as Refusal | undefined, error.validationContext);
  const status = error.statusCode ?? 500;
  // The framework's own: a body that is too large, or of a type that no route takes.
  if (status >= 400 && status < 500) return new ApiError('BAD_REQUEST', error.message);
  return new ApiError('INTERNAL', 'the collector failed to answer: its log tells why');
}
