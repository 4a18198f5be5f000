/** An answer that is written in pieces as they are read, as fast as the client takes them. */

import { Readable } from 'node:stream';
import type { Logger } from '@stream-infer/service-kit/logger';
import type { FastifyReply } from 'fastify';

/** Sends the pieces. What they throw breaks the answer off, since its status is sent already, and is logged. */
export function sendText(
  reply: FastifyReply,
  type: string,
  pieces: AsyncIterable<string>,
  logger: Logger,
): FastifyReply {
  const body = Readable.from(pieces);
  body.once('error', (err) => logger.error({ err, route: reply.request.routeOptions.url }, 'an answer broke off'));
  return reply.type(type).send(body);
}
