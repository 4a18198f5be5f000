/**
 * GET for bodies that may be read more slowly than they come. The `fetch` of Node.js 24 ends the process, by an assertion that nobody can catch,
 * where a server closes the connection while such a body waits (nodejs/undici#5360); `node:http` goes on.
 */

import { get as getHttp, type IncomingMessage } from 'node:http';
import { get as getHttps } from 'node:https';

export type GetOptions = {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** A server that says nothing for so long is not there. */
  readonly silenceLimitMs?: number;
};

/** An answer whose body is read as it comes; reading rejects where it breaks off. */
export type Answer = { readonly status: number; readonly statusText: string; readonly body: IncomingMessage };

const SILENCE_LIMIT_MS = 300_000;
const REDIRECTS = [301, 302, 303, 307, 308];
const MOST_REDIRECTS = 10;

/** Follows redirects, and takes the header `authorization` to no other server. Rejects with what the connection failed of. */
export async function get(url: URL, options: GetOptions): Promise<Answer> {
  let place = url;
  let { headers } = options;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    const body = await getOnce(place, { ...options, headers });
    const { statusCode: status = 0, statusMessage: statusText = '' } = body;
    const { location } = body.headers;
    if (!REDIRECTS.includes(status) || location === undefined) return { status, statusText, body };
    body.destroy();
    const next = new URL(location, place);
    if (!/^https?:$/.test(next.protocol)) throw new Error(`it redirects to ${next.protocol}`);
    if (next.origin !== place.origin) {
      const { authorization: _, ...rest } = headers;
      headers = rest;
    }
    place = next;
  }
  throw new Error(`it redirects more than ${MOST_REDIRECTS} times`);
}

function getOnce(
  url: URL,
  { headers, signal, silenceLimitMs: timeout = SILENCE_LIMIT_MS }: GetOptions,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const start = url.protocol === 'https:' ? getHttps : getHttp;
    let answer: IncomingMessage | undefined;
    const request = start(url, { headers, timeout, ...(signal && { signal }) }, (response) => {
      answer = response;
      resolve(response);
    });
    request.on('timeout', () => (answer ?? request).destroy(new Error('it says nothing')));
    request.once('error', (error) => {
      // Of a name with several addresses it is one error for each.
      const [first = error] = error instanceof AggregateError ? (error.errors as Error[]) : [];
      reject(first);
    });
  });
}
