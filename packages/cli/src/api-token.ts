/** A new token of the API, and the line that lets it in. */

import { createHash, randomBytes } from 'node:crypto';
import { type ApiRole, apiTokenLine } from '@stream-infer/core/api-token';

/** By its beginning scanners for secrets know it. */
const PREFIX = 'si_';

export function newApiToken(name: string, role: ApiRole): { readonly token: string; readonly line: string } {
  const token = PREFIX + randomBytes(32).toString('base64url');
  const sha256 = createHash('sha256').update(token).digest('hex');
  return { token, line: apiTokenLine({ name, role, sha256 }) };
}
