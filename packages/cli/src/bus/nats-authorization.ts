/** The users of an installation's NATS server, as its operator writes them down: for nats-server.conf, or for nsc. */

import { BUS_CLIENTS, type BusClient } from '@stream-infer/bus/bus-client';
import type { Permissions } from '@stream-infer/bus/permissions';

type PermissionsByClient = Readonly<Partial<Record<BusClient, Permissions>>>;

const list = (subjects: readonly string[], indent: string): string =>
  subjects.length === 0 ? '[]' : `[\n${subjects.map((subject) => `${indent}  "${subject}"\n`).join('')}${indent}]`;

function user(client: BusClient, { publish, subscribe }: Permissions, password: string): string {
  const indent = '        ';
  return `    {
      user: "${client}"
      password: ${password}
      permissions: {
        publish: {allow: ${list(publish.allow, indent)}, deny: ${list(publish.deny, indent)}}
        subscribe: {allow: ${list(subscribe.allow, indent)}}
      }
    }
`;
}

/** @param password as it stands in the file: a quoted text, or the name of a variable of the server's process. */
export function authorizationBlock(permissions: PermissionsByClient, password: (client: BusClient) => string): string {
  const users = inOrder(permissions).map(([client, each]) => user(client, each, password(client)));
  return `authorization {\n  users: [\n${users.join('')}  ]\n}\n`;
}

/** Variable of the server's process that holds a client's password: a reference of nats-server.conf. */
export const passwordVariable = (client: BusClient): string => `$${client.replaceAll('-', '_').toUpperCase()}_PASSWORD`;

/** A command for each user, of the account that nsc is set to. */
export function nscCommands(permissions: PermissionsByClient): string {
  const flag = (name: string, subjects: readonly string[]): string[] =>
    subjects.length === 0 ? [] : [`--${name} '${subjects.join(',')}'`];
  return inOrder(permissions)
    .map(([client, { publish, subscribe }]) =>
      [
        `nsc add user --name ${client}`,
        ...flag('allow-pub', publish.allow),
        ...flag('deny-pub', publish.deny),
        ...flag('allow-sub', subscribe.allow),
      ].join(' \\\n  '),
    )
    .join('\n')
    .concat('\n');
}

const inOrder = (permissions: PermissionsByClient): [BusClient, Permissions][] =>
  BUS_CLIENTS.flatMap((client) => {
    const found = permissions[client];
    return found ? [[client, found] as [BusClient, Permissions]] : [];
  });
