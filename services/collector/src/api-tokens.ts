/**
 * The tokens of the API, out of files that may be replaced at any time: what they say counts a second later, also for who listens to events. A
 * file that cannot be read any more, or is none, is told of, and what it said before goes on to count.
 */

import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type ApiToken, parseApiTokens } from '@stream-infer/core/api-token';
import { Fault } from '@stream-infer/core/fault';
import { watchFiles } from '@stream-infer/service-kit/watched-files';

export type ApiTokens = {
  /** Whose token this is; undefined where it is nobody's. */
  holderOf(token: string): ApiToken | undefined;
  /** Aborts when the token counts no more; aborted where it does not now. */
  validity(holder: ApiToken): AbortSignal;
  /** Idempotent. */
  close(): void;
};

/** @param paths separated by commas. Throws CREDENTIALS_INVALID. */
export async function openApiTokens(paths: string, report: (fault: Fault) => void): Promise<ApiTokens> {
  const files = paths.split(',').map((path) => path.trim());
  const validities = new Map<string, AbortController>();
  const changed = (tokens: readonly ApiToken[]): void => {
    const valid = new Set(tokens.map(identity));
    for (const [id, validity] of validities)
      if (!valid.has(id)) {
        validity.abort();
        validities.delete(id);
      }
  };
  const watched = await watchFiles({ paths: files, read: () => readTokens(files), changed, report });
  return {
    holderOf(token) {
      const given = createHash('sha256').update(token).digest();
      // All are compared, so that the time tells nothing of which.
      const found = watched.current.filter(({ sha256 }) => timingSafeEqual(given, Buffer.from(sha256, 'hex')));
      return found[0];
    },
    validity(holder) {
      const id = identity(holder);
      if (!watched.current.some((token) => identity(token) === id)) return AbortSignal.abort();
      const validity = validities.get(id) ?? new AbortController();
      validities.set(id, validity);
      return validity.signal;
    },
    close: watched.close,
  };
}

const identity = ({ name, role, sha256 }: ApiToken): string => `${name} ${role} ${sha256}`;

async function readTokens(files: readonly string[]): Promise<ApiToken[]> {
  const all = await Promise.all(files.map(readTokenFile));
  const tokens = all.flat();
  refuseTwice(tokens, files);
  if (tokens.length > 0) return tokens;
  throw new Fault(
    'CREDENTIALS_INVALID',
    `${files.join(', ')} has no token: nobody could use the API; make one with stream-infer token NAME --role operate`,
  );
}

/** Who did what is told by name, and is to be one. */
function refuseTwice(tokens: readonly ApiToken[], files: readonly string[]): void {
  const [twice] = [...Map.groupBy(tokens, ({ name }) => name)].find(([, { length }]) => length > 1) ?? [];
  if (twice === undefined) return;
  throw new Fault('CREDENTIALS_INVALID', `${files.join(', ')} have several tokens of ${twice}: give each its own name`);
}

async function readTokenFile(file: string): Promise<ApiToken[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new Fault('CREDENTIALS_INVALID', `${file} cannot be read: API_TOKENS_FILE names it`, { cause: error });
  }
  return parseApiTokens(text, file);
}
