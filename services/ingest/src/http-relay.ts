/**
 * The way of one source's HTTP to the network. ffmpeg follows redirects and playlists wherever they lead; it is given this relay as its
 * proxy, which looks at the address of each connection and makes none that `sources.allow` does not have. The address that was looked at is
 * the one that is connected to, so a name whose address changes in between is no way around.
 *
 * Of a source that is secret ffmpeg is told another address (hidden-address.ts): its own, its credentials and its certificate, which is no
 * more verified than ffmpeg does, are the relay's business.
 */

import { lookup } from 'node:dns';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect, isIP, type LookupFunction, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { HiddenAddress } from './hidden-address.ts';
import { HttpCredentials } from './http-credentials.ts';
import { percentDecoded } from './percent-decoded.ts';

export type HttpRelayOptions = {
  allows(address: string, host: string): boolean;
  /** How long a connection may take. */
  readonly timeoutMs: number;
  /** A source that ffmpeg is not to be told. Secret. */
  readonly secret?: URL;
};

/** Of a playlist that is asked for again after seconds the connection is kept. */
const KEPT_MS = 60_000;
/** What concerns one connection alone. */
const HOP_BY_HOP = ['connection', 'proxy-connection', 'keep-alive', 'proxy-authorization', 'te', 'upgrade'];

export class HttpRelay {
  readonly #options: HttpRelayOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();
  readonly #hidden: HiddenAddress | undefined;
  /** Of the secret source's server alone. */
  readonly #credentials: HttpCredentials | undefined;
  #trouble = '';

  private constructor(options: HttpRelayOptions) {
    this.#options = options;
    const { secret } = options;
    if (secret) {
      const { username, password } = secret;
      const bare = Object.assign(new URL(secret), { username: '', password: '' });
      this.#hidden = new HiddenAddress(bare);
      if (username !== '' || password !== '')
        this.#credentials = new HttpCredentials(percentDecoded(username), percentDecoded(password));
    }
    this.#server = createServer((request, response) => this.#forward(request, response));
    this.#server.keepAliveTimeout = KEPT_MS;
    this.#server.on('connect', (request, socket, head) => this.#tunnel(request, socket, head));
    this.#server.on('connection', (socket) => this.#own(socket));
    this.#server.on('clientError', (_, socket) => socket.destroy());
  }

  static async open(options: HttpRelayOptions): Promise<HttpRelay> {
    const relay = new HttpRelay(options);
    await new Promise<void>((resolve, reject) => {
      relay.#server.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    return relay;
  }

  /** For `http_proxy`. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What ffmpeg is to open in place of the secret source. */
  get hiddenUrl(): string | undefined {
    return this.#hidden?.url;
  }

  /** What kept the last connection from being made, in ffmpeg's words; empty where nothing did. */
  get trouble(): string {
    return this.#trouble;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #forward(request: IncomingMessage, response: ServerResponse): void {
    const asked = URL.canParse(request.url ?? '') ? new URL(request.url ?? '') : undefined;
    if (asked?.protocol !== 'http:') return void response.writeHead(400).end();
    const hidden = this.#hidden?.behind(asked);
    const path = hidden ? hidden.pathname + hidden.search : pathAsWritten(request.url ?? '');
    try {
      this.#ask({ target: hidden ?? asked, path }, request, response);
    } catch {
      // No request that could be made.
      response.destroy();
    }
  }

  #ask(asked: Asked, request: IncomingMessage, response: ServerResponse): void {
    const { target, path } = asked;
    const { hostname, port, protocol } = target;
    const host = unbracketed(hostname);
    const isEncrypted = protocol === 'https:';
    const method = request.method ?? 'GET';
    const credentials = target.origin === this.#options.secret?.origin ? this.#credentials : undefined;
    const answered = credentials?.authorization(method, path);
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !HOP_BY_HOP.includes(name)));
    headers.host = target.host;
    if (answered !== undefined) headers.authorization = answered;
    const socket = this.#connect(host, Number(port || (isEncrypted ? 443 : 80)));
    const stream = isEncrypted ? this.#encrypted(socket, host) : socket;
    response.once('close', () => socket.destroy());
    let isAskedAgain = false;
    const outgoing = httpRequest(
      { createConnection: () => stream, insecureHTTPParser: true, method, path, headers },
      (incoming) => {
        const challenge = incoming.statusCode === 401 ? incoming.headers['www-authenticate'] : undefined;
        if (challenge !== undefined && credentials?.challenged(challenge, answered)) {
          isAskedAgain = true;
          socket.destroy();
          return this.#ask(asked, request, response);
        }
        // ffmpeg would try once more, with nothing to try: cameras count, and lock accounts.
        const left = credentials ? ['connection', 'www-authenticate'] : ['connection'];
        if (!answer(response, incoming, left)) {
          this.#trouble = 'Invalid data found when processing input';
          return void response.destroy();
        }
        incoming.pipe(response);
        incoming.once('error', () => response.destroy());
      },
    );
    outgoing.once('error', () => {
      if (isAskedAgain) return;
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end();
    });
    outgoing.end();
  }

  #encrypted(socket: Socket, host: string): Duplex {
    const stream = connectTls({ socket, rejectUnauthorized: false, ...(isIP(host) === 0 && { servername: host }) });
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.#trouble = wordsOf(error);
    });
    this.#own(stream);
    return stream;
  }

  #tunnel(request: IncomingMessage, client: Duplex, head: Buffer): void {
    const [, host = '', port = ''] = /^(\[[\da-f:.]+\]|[^\s:/@[\]]+):(\d{1,5})$/i.exec(request.url ?? '') ?? [];
    if (host === '' || !isPort(Number(port))) return void client.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    const socket = this.#connect(unbracketed(host), Number(port));
    socket.once('connect', () => {
      client.write('HTTP/1.1 200 Connected\r\n\r\n');
      socket.write(head);
      client.pipe(socket).pipe(client);
    });
    socket.once('close', () => client.destroy());
    client.once('close', () => socket.destroy());
  }

  #connect(host: string, port: number): Socket {
    const socket = connect({ host, port, lookup: this.#lookup, timeout: this.#options.timeoutMs });
    this.#own(socket);
    if (isIP(host) !== 0 && !this.#options.allows(host, host)) socket.destroy(new Forbidden());
    socket.once('connect', () => {
      socket.setTimeout(0);
      this.#trouble = '';
    });
    socket.once('timeout', () => socket.destroy(new Error('timed out')));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#trouble = wordsOf(error);
    });
    return socket;
  }

  /** The addresses of a host that connections may go to. */
  readonly #lookup: LookupFunction = (host, options, callback) => {
    lookup(host, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, []);
      const allowed = found.filter(({ address }) => this.#options.allows(address, host.toLowerCase()));
      const [first] = allowed;
      if (first === undefined) return callback(new Forbidden(), []);
      return options.all ? callback(null, allowed) : callback(null, first.address, first.family);
    });
  };

  #own(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
  }
}

/** What ffmpeg asks for: where, and path and query. */
type Asked = { readonly target: URL; readonly path: string };

/** Path and query as ffmpeg wrote them, which `URL` would put into another form. */
const pathAsWritten = (url: string): string => /^http:\/\/[^/?#]*(.*)$/is.exec(url)?.[1] || '/';

const isPort = (port: number): boolean => port >= 1 && port <= 65_535;

const unbracketed = (host: string): string => host.replace(/^\[|\]$/g, '');

/** Tells status and headers on, without those of `left`. False where they are none that may be told, which a lenient parser lets through. */
function answer(response: ServerResponse, incoming: IncomingMessage, left: readonly string[]): boolean {
  const told = Object.entries(incoming.headers).filter(([name]) => !left.includes(name));
  try {
    response.writeHead(incoming.statusCode ?? 502, Object.fromEntries(told));
    return true;
  } catch {
    return false;
  }
}

class Forbidden extends Error {
  constructor() {
    super('forbidden by sources.allow');
  }
}

/** As ffmpeg would have said it (source-fault.ts). */
function wordsOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ECONNREFUSED':
      return 'Connection refused';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'Failed to resolve hostname';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'No route to host';
    case 'ECONNRESET':
      return 'Connection reset';
    default:
      return error.message;
  }
}
