/**
 * The answer to a server that asks who wants its pictures: Basic (RFC 7617) and Digest (RFC 7616; MD5, SHA-256, their `-sess` forms, and RFC 2069's way
 * of old cameras). What was asked once is answered at once from then on.
 */

import { createHash, randomBytes } from 'node:crypto';

type Challenge = { readonly scheme: 'basic' | 'digest'; readonly parameters: ReadonlyMap<string, string> };

export class HttpCredentials {
  readonly #user: string;
  readonly #password: string;
  readonly #clientNonce: () => string;
  #challenge: Challenge | undefined;
  #uses = 0;

  constructor(user: string, password: string, clientNonce = () => randomBytes(8).toString('hex')) {
    this.#user = user;
    this.#password = password;
    this.#clientNonce = clientNonce;
  }

  /** Takes what a server asked for in `WWW-Authenticate`. False where that cannot be given, or was given and refused. */
  challenged(header: string, answered: string | undefined): boolean {
    const challenge = strongest(header);
    if (challenge === undefined) return false;
    const isNew = answered === undefined || challenge.parameters.get('stale')?.toLowerCase() === 'true';
    this.#challenge = challenge;
    this.#uses = 0;
    return isNew;
  }

  /** For `Authorization`; undefined as long as nobody asked. @param uri path and query. */
  authorization(method: string, uri: string): string | undefined {
    if (this.#challenge === undefined) return undefined;
    const { scheme, parameters } = this.#challenge;
    return scheme === 'basic' ? this.#basic() : this.#digest(method, uri, parameters);
  }

  #basic(): string {
    return `Basic ${Buffer.from(`${this.#user}:${this.#password}`).toString('base64')}`;
  }

  #digest(method: string, uri: string, parameters: ReadonlyMap<string, string>): string {
    this.#uses += 1;
    const algorithm = parameters.get('algorithm') ?? 'MD5';
    const hashed = (text: string): string =>
      createHash(/^sha-256/i.test(algorithm) ? 'sha256' : 'md5')
        .update(text)
        .digest('hex');
    const realm = parameters.get('realm') ?? '';
    const nonce = parameters.get('nonce') ?? '';
    const count = this.#uses.toString(16).padStart(8, '0');
    const clientNonce = this.#clientNonce();
    const secret = hashed(`${this.#user}:${realm}:${this.#password}`);
    const session = /-sess$/i.test(algorithm) ? hashed(`${secret}:${nonce}:${clientNonce}`) : secret;
    const what = hashed(`${method}:${uri}`);
    const hasQuality = parameters.get('qop') !== undefined;
    const response = hashed(
      hasQuality ? `${session}:${nonce}:${count}:${clientNonce}:auth:${what}` : `${session}:${nonce}:${what}`,
    );
    const opaque = parameters.get('opaque');
    const told = [
      ...[`username=${quoted(this.#user)}`, `realm=${quoted(realm)}`, `nonce=${quoted(nonce)}`, `uri=${quoted(uri)}`],
      ...[`algorithm=${algorithm}`, `response="${response}"`],
      ...(opaque === undefined ? [] : [`opaque=${quoted(opaque)}`]),
      ...(hasQuality ? ['qop=auth', `nc=${count}`] : []),
      ...(hasQuality || session !== secret ? [`cnonce="${clientNonce}"`] : []),
    ];
    return `Digest ${told.join(', ')}`;
  }
}

const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;

/** SHA-256 before MD5 before Basic, of those that can be answered. */
function strongest(header: string): Challenge | undefined {
  const rank = ({ scheme, parameters }: Challenge): number =>
    scheme === 'basic' ? 0 : /^sha-256/i.test(parameters.get('algorithm') ?? '') ? 2 : 1;
  return challenges(header)
    .filter(isKnown)
    .sort((a, b) => rank(b) - rank(a))[0];
}

function isKnown({ scheme, parameters }: Challenge): boolean {
  if (scheme === 'basic') return true;
  const qualities = parameters.get('qop')?.split(',') ?? ['auth'];
  return (
    parameters.has('nonce') &&
    /^(md5|sha-256)(-sess)?$/i.test(parameters.get('algorithm') ?? 'MD5') &&
    qualities.some((quality) => quality.trim().toLowerCase() === 'auth')
  );
}

const PARAMETER = /([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g;

/** Several may stand in one header, each a scheme and its parameters. */
function challenges(header: string): Challenge[] {
  // What is quoted may look like a scheme.
  const bare = header.replaceAll(/"(?:[^"\\]|\\.)*"/g, (text) => '"'.padEnd(text.length, '_'));
  const starts = [...bare.matchAll(/(?:^|,)\s*([A-Za-z][\w-]*)(?=\s+[\w-]+\s*=|\s*(?:,|$))/g)];
  return starts.flatMap((start, at): Challenge[] => {
    const scheme = start[1]?.toLowerCase();
    if (scheme !== 'basic' && scheme !== 'digest') return [];
    const text = header.slice(start.index + start[0].length, starts[at + 1]?.index);
    const found = [...text.matchAll(PARAMETER)].map(([, name = '', quotation, token = '']): [string, string] => [
      name.toLowerCase(),
      quotation?.replaceAll(/\\(.)/g, '$1') ?? token,
    ]);
    return [{ scheme, parameters: new Map(found) }];
  });
}
