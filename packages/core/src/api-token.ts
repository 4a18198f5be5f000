/**
 * Who may use the API: names with a role and the SHA-256 of a token, a line each, as `stream-infer token` prints them. A token is random and long, so
 * that its plain hash gives nothing away.
 */

import { Fault } from './fault.ts';
import { isName, NAME_RULE } from './names.ts';

/** Each may do what the ones before it may. read: look at streams and results. operate: change streams, remove results. */
export const API_ROLES = ['read', 'operate'] as const;

export type ApiRole = (typeof API_ROLES)[number];

export type ApiToken = {
  /** Who has it, as changes are noted. */
  readonly name: string;
  readonly role: ApiRole;
  /** Of the token, in lower-case hexadecimal. */
  readonly sha256: string;
};

export const isRole = (text: string): text is ApiRole => (API_ROLES as readonly string[]).includes(text);

export const mayDo = (role: ApiRole, needed: ApiRole): boolean => API_ROLES.indexOf(role) >= API_ROLES.indexOf(needed);

export const apiTokenLine = ({ name, role, sha256 }: ApiToken): string => `${name} ${role} ${sha256}`;

/** @param where names the text in messages, which never quote a line: somebody may have written a token there. Throws CREDENTIALS_INVALID. */
export function parseApiTokens(text: string, where: string): ApiToken[] {
  const tokens: ApiToken[] = [];
  for (const [at, line] of text.split('\n').entries()) {
    const content = line.replace(/(?:^|\s)#.*/, '').trim();
    if (content === '') continue;
    const refuse = (why: string): Fault =>
      new Fault(
        'CREDENTIALS_INVALID',
        `${where}:${at + 1} ${why}: a line is NAME ROLE SHA256, as stream-infer token prints it`,
      );
    const [name = '', role = '', sha256 = '', ...more] = content.split(/\s+/);
    if (!isName(name)) throw refuse(`has a name that it cannot: it ${NAME_RULE}`);
    if (!isRole(role)) throw refuse(`has no role: it must be ${API_ROLES.join(' or ')}`);
    if (!/^[0-9a-f]{64}$/i.test(sha256) || more.length > 0)
      throw refuse('has no SHA-256 of a token in its third place');
    if (tokens.some((token) => token.name === name)) throw refuse(`has the name ${name} of a line before it`);
    tokens.push({ name, role, sha256: sha256.toLowerCase() });
  }
  return tokens;
}
