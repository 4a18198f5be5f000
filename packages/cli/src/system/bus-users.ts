/** The users of a system's own NATS server: one for each kind of client, with a password of its own that nobody else learns. */

import { randomBytes } from 'node:crypto';
import type { BusAccess } from '@stream-infer/bus/bus';
import type { BusClient } from '@stream-infer/bus/bus-client';
import { busPermissions } from '@stream-infer/bus/permissions';
import { authorizationBlock } from '../bus/nats-authorization.ts';

export type BusUsers = {
  /** For the server's configuration. */
  readonly authorization: string;
  accessOf(client: BusClient): BusAccess;
};

export function busUsers(prefix: string): BusUsers {
  const passwords = new Map<BusClient, string>();
  const passwordOf = (client: BusClient): string => {
    const password = passwords.get(client) ?? randomBytes(24).toString('hex');
    passwords.set(client, password);
    return password;
  };
  return {
    authorization: authorizationBlock(busPermissions(prefix), (client) => `"${passwordOf(client)}"`),
    accessOf: (client) => ({ natsUser: client, natsPassword: passwordOf(client) }),
  };
}
