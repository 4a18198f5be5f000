/** `stream-infer bus permissions`: what the NATS users of an installation need, for whoever runs its server. */

import { BUS_CLIENTS, type BusClient } from '@stream-infer/bus/bus-client';
import { busPermissions } from '@stream-infer/bus/permissions';
import { busSettings } from '@stream-infer/core/bus-settings';
import { parseValue } from '@stream-infer/core/configuration-fault';
import { Fault } from '@stream-infer/core/fault';
import type { BusCommand } from '../access-arguments.ts';
import { authorizationBlock, nscCommands, passwordVariable } from '../bus/nats-authorization.ts';

/** Exit status. Throws USAGE or CONFIG_INVALID. */
export function busCommand({ options }: BusCommand): number {
  const prefix = parseValue(
    busSettings.natsPrefix,
    options.prefix ?? (process.env.NATS_PREFIX || undefined),
    options.prefix === undefined ? 'NATS_PREFIX' : '--prefix',
  );
  const all = busPermissions(prefix);
  const wanted = options.client === undefined ? BUS_CLIENTS : [clientNamed(options.client)];
  const permissions = Object.fromEntries(wanted.map((client) => [client, all[client]]));
  if (options.json) process.stdout.write(`${JSON.stringify({ prefix, clients: permissions }, null, 2)}\n`);
  else if (options.nsc) process.stdout.write(nscCommands(permissions));
  else process.stdout.write(authorizationBlock(permissions, passwordVariable));
  return 0;
}

function clientNamed(text: string): BusClient {
  const client = BUS_CLIENTS.find((known) => known === text);
  if (client) return client;
  throw new Fault('USAGE', `--client is ${text}: give one of ${BUS_CLIENTS.join(', ')}`);
}
