/** The HTTP server of the API: validation, errors, and the OpenAPI document at /openapi.json, which is the reference. */

import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import swagger from '@fastify/swagger';
import { Fault } from '@stream-infer/core/fault';
import { listenFault } from '@stream-infer/service-kit/health-server';
import { type FastifyError, type FastifyInstance, fastify } from 'fastify';
import { type ApiAccessOptions, guardApi } from './api-access.ts';
import { ApiError, apiErrorBody, badRequest, REFUSING_FAULTS, type Refusal, statusOf } from './api-error.ts';
import { ALWAYS, SHARED_SCHEMAS } from './api-schemas.ts';
import { type EventRouteOptions, eventRoutes } from './event-routes.ts';
import { type RecordRouteOptions, recordRoutes } from './record-routes.ts';
import { type RegistryRouteOptions, registryRoutes } from './registry-routes.ts';
import { type ResultRouteOptions, resultRoutes } from './result-routes.ts';
import { isStoreAbsence } from './store-absence.ts';
import { type StreamRouteOptions, streamRoutes } from './stream-routes.ts';

export type ApiOptions = ApiAccessOptions &
  EventRouteOptions &
  RecordRouteOptions &
  RegistryRouteOptions &
  ResultRouteOptions &
  StreamRouteOptions & {
    readonly host: string;
    readonly port: number;
  };

export type Api = {
  /** http://host:port */
  readonly address: string;
  /** Takes no new request and waits for those under way; event streams end when their signal aborts. */
  close(): Promise<void>;
};

/** What Prometheus and those who look after processes ask for. */
const OF_EACH_SERVICE = /^\/(metrics|v2\/health\/.*|health|healthz|debug\/ledger)$/;

const MOST_BODY_BYTES = 64 * 1024;

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
    bodyLimit: MOST_BODY_BYTES,
    // An id that is too long is refused as such.
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 4_096 },
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
  setErrorHandlers(app, options);
  guardApi(app, options);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'stream-infer collector',
        version: '1',
        description: 'Streams, and the results of algorithms over their video, by stream, algorithm and time.',
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      // Where no tokens are configured, none is needed.
      security: options.tokens ? [{ token: [] }] : [{}, { token: [] }],
    },
    // A body is validated where it is read, by the schema of the configuration, whose messages name the key.
    transform: ({ schema, url, route }) => ({
      url,
      schema: {
        ...schema,
        ...(route.config?.body && { body: route.config.body }),
        response: { ...(schema.response as object), ...ALWAYS },
      },
    }),
    refResolver: { buildLocalReference: (json, _baseUri, _fragment, index) => String(json.$id ?? `def-${index}`) },
  });
  await app.register(async (routes) => {
    streamRoutes(routes, options);
    registryRoutes(routes, options);
    resultRoutes(routes, options);
    recordRoutes(routes, options);
    eventRoutes(routes, options);
  });
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  return app;
}

function setErrorHandlers(app: FastifyInstance, { logger, metrics }: Pick<ApiOptions, 'logger' | 'metrics'>): void {
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? '';
    const advice = OF_EACH_SERVICE.test(path)
      ? 'each service has it on a port of its own (HTTP_PORT), which its log, and stream-infer up as it starts, tell'
      : 'see GET /openapi.json';
    const error = new ApiError('UNKNOWN_PATH', `${request.method} ${path} is not of this API: ${advice}`);
    metrics.apiErrors.inc({ code: error.code });
    request.refusal = error.code;
    return reply.code(statusOf(error)).send(apiErrorBody(error));
  });
  app.setErrorHandler((error: FastifyError | ApiError | Fault, request, reply) => {
    const answer = toApiError(error);
    metrics.apiErrors.inc({ code: answer.code });
    request.refusal = answer.code;
    if (answer.code === 'INTERNAL') logger.error({ err: error, route: request.routeOptions.url }, 'a request failed');
    return reply.code(statusOf(answer)).send(apiErrorBody(answer));
  });
}

function toApiError(error: FastifyError | ApiError | Fault): ApiError | Fault {
  if (error instanceof ApiError || (error instanceof Fault && REFUSING_FAULTS.includes(error.code))) return error;
  if (isStoreAbsence(error))
    return new ApiError('STORE_UNAVAILABLE', 'the database of the results does not answer: try again once it is back');
  if (error instanceof Fault) return new ApiError('INTERNAL', 'the collector failed to answer: its log tells why');
  if (error.validation) return badRequest(error.validation[0] as Refusal | undefined, error.validationContext);
  const status = error.statusCode ?? 500;
  if (status === 413)
    return new ApiError(
      'BODY_TOO_LARGE',
      `the body is larger than the ${MOST_BODY_BYTES} bytes that a stream may take`,
    );
  if (status === 415)
    return new ApiError('BAD_REQUEST', 'the body is no JSON by its type: send it with Content-Type: application/json');
  // The framework's own: a body that is no JSON, say.
  if (status >= 400 && status < 500) return new ApiError('BAD_REQUEST', error.message);
  return new ApiError('INTERNAL', 'the collector failed to answer: its log tells why');
}
