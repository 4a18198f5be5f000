/**
 * The client's TCP transport, which hands whole messages to its parser (message-assembler.ts) and sends frames out of the memory that
 * they lie in (outbound-messages.ts).
 *
 * Plain connections are read into one buffer that is used again and again: a frame costs the memory that it lies in, and no more.
 */

import { createConnection, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type ConnectionOptions, ErrorCode, type NatsConnection, NatsError } from 'nats';
import { NatsConnectionImpl, setTransportFactory } from 'nats/lib/nats-base-client/internal_mod.js';
import { NodeTransport, nodeResolveHost } from 'nats/lib/src/node_transport.js';
import type { BusTls } from './bus-tls.ts';
import { MessageAssembler } from './message-assembler.ts';
import { OutboundMessages } from './outbound-messages.ts';

const READ_BYTES = 256 * 1024;

/** Ends the client's wait for the first answer. */
const REFUSED = new TextEncoder().encode("-ERR 'Authorization Violation'\r\n");

class FrameTransport extends NodeTransport {
  readonly #assembler = new MessageAssembler();
  readonly #tls: BusTls;
  #host = '';

  constructor(tls: BusTls) {
    super();
    this.#tls = tls;
  }

  override dial({ hostname, port }: { hostname: string; port: number }): Promise<Socket> {
    this.#host = hostname;
    return new Promise((resolve, reject) => {
      const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
      const socket = createConnection({
        host: hostname,
        port,
        noDelay: true,
        onread: {
          buffer,
          callback: (bytes) => {
            if (this.connected) this.#take(buffer.subarray(0, bytes));
            else socket.emit('data', Buffer.from(buffer.subarray(0, bytes)));
            return true;
          },
        },
      });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.removeAllListeners();
        resolve(socket);
      });
    });
  }

  override startTLS(): Promise<TLSSocket> {
    return this.#tls.start(this.socket, this.tlsName || this.#host);
  }

  override setupHandlers(): void {
    super.setupHandlers();
    this.socket.removeAllListeners('data');
    if (this.isEncrypted()) this.#heedRefusal();
    // A connection with TLS is not read into our buffer.
    this.socket.on('data', (chunk: Uint8Array) => this.#take(chunk));
    for (const chunk of this.yields.splice(0)) this.#take(chunk);
  }

  /** Since TLS 1.3 a server that does not trust our certificate, or wants one, says so when the connection is there already. */
  #heedRefusal(): void {
    const tls = this.#tls;
    const { socket } = this;
    const heedNoMore = (): void => void socket.off('error', onEnd).off('close', onEnd);
    const onEnd = (error?: unknown): void => {
      heedNoMore();
      tls.refused(error);
      this.#take(REFUSED);
    };
    // Before the client's own, which lets go of the transport.
    socket.prependListener('error', onEnd).prependListener('close', onEnd).once('data', heedNoMore);
  }

  /** Written together with what else is sent in this turn of the event loop. */
  sendAll(pieces: readonly Uint8Array[]): void {
    const { socket } = this;
    socket?.cork();
    for (const piece of pieces) this.send(piece);
    process.nextTick(() => socket?.uncork());
  }

  #take(chunk: Uint8Array): void {
    const pieces = this.#assembler.push(chunk);
    if (pieces.length === 0) return;
    this.yields.push(...pieces);
    this.signal.resolve();
  }
}

/**
 * As the client's own `connect`, over this transport.
 * @param tls where it speaks TLS: because the options ask for it, or the server requires it
 */
export async function connectOverFrameTransport(tls: BusTls, options: ConnectionOptions): Promise<NatsConnection> {
  setTransportFactory({ factory: () => new FrameTransport(tls), dnsResolveFn: nodeResolveHost });
  const connection = await NatsConnectionImpl.connect(options);
  const { protocol } = connection as NatsConnectionImpl;
  // A reconnect brings another transport.
  protocol.outbound = new OutboundMessages((pieces) => (protocol.transport as FrameTransport).sendAll(pieces));
  return connection;
}

/**
 * The client ends each answered request by rejecting its promise, settled already, with a new error: its stack costs a publisher of frames
 * one part in thirty of its time.
 */
const CANCELLED = NatsError.errorForCode(ErrorCode.Cancelled);
const { errorForCode } = NatsError;
NatsError.errorForCode = (code, chainedError) =>
  code === ErrorCode.Cancelled && chainedError === undefined ? CANCELLED : errorForCode(code, chainedError);
