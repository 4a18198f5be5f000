/** Where the servers are and as whom we come, out of one text. The client reads no credentials in a server's URL itself. */

export type Servers = {
  /** Without credentials. */
  readonly servers: string[];
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
};

const SERVER = /^([a-z][a-z0-9+.-]*:\/\/)?(?:(.*)@)?([^@]*)$/i;

/**
 * @param url servers separated by commas, each `scheme://user:password@host:port` or `scheme://token@host:port`; all but the host may be
 * missing. The first credentials are those of all of them, percent-decoded.
 */
export function serversOf(url: string): Servers {
  const parts = url.split(',').map((text) => SERVER.exec(text.trim()) ?? []);
  const servers = parts.map(([, scheme = '', , host = '']) => scheme + host);
  const credentials = parts.map(([, , userInfo]) => userInfo).find((userInfo) => userInfo !== undefined);
  if (credentials === undefined) return { servers };
  const colon = credentials.indexOf(':');
  if (colon === -1) return { servers, token: decoded(credentials) };
  return { servers, user: decoded(credentials.slice(0, colon)), pass: decoded(credentials.slice(colon + 1)) };
}

/** As it is where it is not percent-encoded. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
