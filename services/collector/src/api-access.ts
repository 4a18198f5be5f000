/**
 * Who asks, and whether they may: a bearer token for every request where tokens are configured, the role `operate` for whatever changes
 * something. Every attempt at a change is a line of the log and a count, with who it was; never with the token.
 */

import { type ApiRole, type ApiToken, mayDo } from '@stream-infer/core/api-token';
import type { Logger } from '@stream-infer/service-kit/logger';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from './api-error.ts';
import type { ApiTokens } from './api-tokens.ts';
import type { CollectorMetrics } from './metrics.ts';

/** What a request changed, as far as its handler came. */
export type Change = {
  /** Where the path does not name it. */
  readonly stream?: string;
  /** Of the stream in the registry; null: it was not there, or is not any more. */
  readonly revisionBefore?: number | null;
  readonly revisionAfter?: number | null;
  readonly owner?: string;
  /** Results. */
  readonly removed?: number;
};

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose token came with it; undefined where none is needed. */
    holder: ApiToken | undefined;
    change: Change | undefined;
    /** Code of the error that it is answered with. */
    refusal: string | undefined;
  }
}

export type ApiAccessOptions = {
  readonly tokens: ApiTokens | undefined;
  readonly metrics: CollectorMetrics;
  readonly logger: Logger;
};

const READING = ['GET', 'HEAD', 'OPTIONS'];

const neededFor = ({ method }: FastifyRequest): ApiRole => (READING.includes(method) ? 'read' : 'operate');

export function guardApi(app: FastifyInstance, { tokens, metrics, logger }: ApiAccessOptions): void {
  app.decorateRequest('holder', undefined);
  app.decorateRequest('change', undefined);
  app.decorateRequest('refusal', undefined);
  if (tokens)
    app.addHook('onRequest', async (request, reply) => {
      const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
      request.holder = token === undefined ? undefined : tokens.holderOf(token);
      const { holder } = request;
      if (holder === undefined) {
        const given = request.headers.authorization === undefined ? '' : ', error="invalid_token"';
        reply.header('www-authenticate', `Bearer realm="stream-infer"${given}`);
        throw new ApiError(
          'UNAUTHORIZED',
          given === ''
            ? 'the API needs a token: send Authorization: Bearer TOKEN'
            : 'the token is not known here, or no more: ask the operator for another',
        );
      }
      const needed = neededFor(request);
      if (mayDo(holder.role, needed)) return;
      reply.header('www-authenticate', `Bearer realm="stream-infer", error="insufficient_scope", scope="${needed}"`);
      throw new ApiError(
        'FORBIDDEN',
        `${request.method} needs a token with the role ${needed}, and that of ${holder.name} has ${holder.role}`,
      );
    });
  // Whatever else is logged: who changed what is to be found afterwards.
  const audit = logger.child({ audit: true }, { level: 'info' });
  // Before the answer is sent: of one whose client has gone nothing else tells.
  app.addHook('onSend', (request, reply, _payload, next) => {
    const action = request.routeOptions.schema?.operationId;
    // Who has no token is counted with the errors, and writes no line for each try.
    if (neededFor(request) === 'operate' && action !== undefined && request.refusal !== 'UNAUTHORIZED') {
      const { id } = request.params as { readonly id?: string };
      const { statusCode } = reply;
      const outcome = statusCode < 400 ? 'done' : statusCode < 500 ? 'refused' : 'failed';
      metrics.changes.inc({ action, outcome });
      audit.info(
        {
          who: request.holder?.name ?? 'anybody',
          from: request.ip,
          action,
          ...(id !== undefined && { stream: id }),
          ...request.change,
          outcome,
          ...(request.refusal !== undefined && { refusal: request.refusal }),
        },
        'a change over the API',
      );
    }
    next();
  });
}
