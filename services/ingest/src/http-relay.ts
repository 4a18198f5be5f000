/**
 * The way of one source's HTTP to the network. ffmpeg follows redirects and playlists wherever they lead; it is given this relay as its
 * proxy, which looks at the address of each connection and makes none that `sources.allow` does not have. The address that was looked at is
 * the one that is connected to, so a name whose address changes in between is no way around.
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

export type HttpRelayOptions = {
  allows(address: string, host: string): boolean;
  /** How long a connection may take. */
  readonly timeoutMs: number;
};

/** Of a playlist that is asked for again after seconds the connection is kept. */
const KEPT_MS = 60_000;
/** What concerns one connection alone. */
const HOP_BY_HOP = ['connection', 'proxy-connection', 'keep-alive', 'proxy-authorization', 'te', 'upgrade'];

export class HttpRelay {
  readonly #options: HttpRelayOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();
  #trouble = '';

  private constructor(options: HttpRelayOptions) {
    this.#options = options;
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
    const target = URL.canParse(request.url ?? '') ? new URL(request.url ?? '') : undefined;
    if (target?.protocol !== 'http:') return void response.writeHead(400).end();
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !HOP_BY_HOP.includes(name)));
    const socket = this.#connect(target.hostname.replace(/^\[|\]$/g, ''), Number(target.port || 80));
    const { pathname, search } = target;
    const outgoing = httpRequest(
      {
        createConnection: () => socket,
        insecureHTTPParser: true,
        method: request.method,
        path: pathname + search,
        headers,
      },
      (incoming) => {
        const { connection: _, ...told } = incoming.headers;
        response.writeHead(incoming.statusCode ?? 502, incoming.statusMessage, told);
        incoming.pipe(response);
        incoming.once('error', () => response.destroy());
      },
    );
    outgoing.once('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
    response.once('close', () => socket.destroy());
    outgoing.end();
  }

  #tunnel(request: IncomingMessage, client: Duplex, head: Buffer): void {
    const { hostname, port } = new URL(`http://${request.url ?? ''}`);
    const socket = this.#connect(hostname.replace(/^\[|\]$/g, ''), Number(port || 443));
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
