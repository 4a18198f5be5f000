/** `stream-infer token`: makes a token of the API. Its line is for a file that may be redirected to; the token itself is told once. */

import { API_ROLES, isRole } from '@stream-infer/core/api-token';
import { Fault } from '@stream-infer/core/fault';
import { isName, NAME_RULE } from '@stream-infer/core/names';
import type { TokenCommand } from '../access-arguments.ts';
import { newApiToken } from '../api-token.ts';

/** Exit status. Throws USAGE. */
export function tokenCommand({ holder, role, json }: TokenCommand): number {
  if (!isName(holder)) throw new Fault('USAGE', `${holder} is no name: it ${NAME_RULE}`);
  if (role === undefined || !isRole(role))
    throw new Fault('USAGE', `--role is ${role ?? 'missing'}: give ${API_ROLES.join(' or ')}`);
  const { token, line } = newApiToken(holder, role);
  if (json) process.stdout.write(`${JSON.stringify({ name: holder, role, token, line }, null, 2)}\n`);
  else {
    process.stdout.write(`${line}\n`);
    process.stderr.write(`the token of ${holder}, which is told this once: ${token}\n`);
  }
  return 0;
}
