/** Why we are not on the bus, or may not do there what we do: told by the server's refusals, in words that say whom it refuses and what to set. */

import { Fault } from '@stream-infer/core/fault';
import { ErrorCode, Events, NatsError, type Status } from 'nats';
import type { BusClient } from './bus-client.ts';
import type { BusTls } from './bus-tls.ts';

/** Who talks to whom, as messages name them. */
export type Side = {
  /** The servers, without credentials. */
  readonly place: string;
  readonly who: string;
  readonly client: BusClient;
  readonly tls: BusTls;
};

/** Of a connection that does not come about. */
export function connectFault(error: unknown, { place, who, tls }: Side): Fault {
  if (error instanceof Fault) return error;
  if (tls.trouble) return tls.trouble;
  const code = error instanceof NatsError ? error.code : '';
  if (code === ErrorCode.AuthorizationViolation || code === ErrorCode.AuthenticationTimeout)
    return new Fault(
      'NATS_UNAUTHORIZED',
      `the NATS server at ${place} refuses ${who}: give a user with its password, a token, an nkey or a credentials file (NATS_USER, NATS_TOKEN, NATS_NKEY, NATS_CREDS)`,
      { cause: error },
    );
  if (code === ErrorCode.ServerOptionNotAvailable)
    return new Fault('TLS_REFUSED', `the NATS server at ${place} offers no TLS, and the settings ask for it`, {
      cause: error,
    });
  const problem = `no NATS server answers at ${place}: start one or set NATS_URL`;
  return new Fault('NATS_UNREACHABLE', problem, { cause: error });
}

/** Of the first request on a connection, which asks for JetStream. */
export function accessFault(error: unknown, side: Side): Fault {
  if (error instanceof NatsError && error.code === ErrorCode.PermissionsViolation) return forbidden(error, side);
  const problem = `the NATS server at ${side.place} offers no JetStream: start it with --jetstream`;
  return new Fault('NATS_UNREACHABLE', problem, { cause: error });
}

/** Of what a connection tells of itself while it lives; undefined where that is no trouble. */
export function statusFault({ type, data, permissionContext }: Status, side: Side, connected: boolean) {
  if (type === Events.Error && permissionContext) return forbidden({ permissionContext }, side);
  if (connected) return undefined;
  return type === Events.Error ? connectFault(new NatsError('refused', String(data)), side) : side.tls.trouble;
}

function forbidden(context: Pick<NatsError, 'permissionContext'>, { place, who, client }: Side): Fault {
  const { operation, subject } = context.permissionContext ?? { operation: 'publish', subject: 'a subject' };
  const what = operation === 'publish' ? 'to publish to' : 'to subscribe to';
  return new Fault(
    'NATS_FORBIDDEN',
    `the NATS server at ${place} forbids ${who} ${what} ${subject}: give it what stream-infer bus permissions prints for ${client}`,
  );
}
