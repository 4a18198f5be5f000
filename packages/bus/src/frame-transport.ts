/**
 * The client's TCP transport, which hands whole messages to its parser (message-assembler.ts).
 *
 * Plain connections are read into one buffer that is used again and again: a frame costs the memory that it lies in, and no more.
 */

import { createConnection, type Socket } from 'node:net';
import type { ConnectionOptions, NatsConnection } from 'nats';
import { NatsConnectionImpl, setTransportFactory } from 'nats/lib/nats-base-client/internal_mod.js';
import { NodeTransport, nodeResolveHost } from 'nats/lib/src/node_transport.js';
import { MessageAssembler } from './message-assembler.ts';

const READ_BYTES = 256 * 1024;

class FrameTransport extends NodeTransport {
  readonly #assembler = new MessageAssembler();

  override dial({ hostname, port }: { hostname: string; port: number }): Promise<Socket> {
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

  override setupHandlers(): void {
    super.setupHandlers();
    this.socket.removeAllListeners('data');
    // A connection with TLS is not read into our buffer.
    this.socket.on('data', (chunk: Uint8Array) => this.#take(chunk));
    for (const chunk of this.yields.splice(0)) this.#take(chunk);
  }

  #take(chunk: Uint8Array): void {
    const pieces = this.#assembler.push(chunk);
    if (pieces.length === 0) return;
    this.yields.push(...pieces);
    this.signal.resolve();
  }
}

/** As the client's own `connect`, over this transport. */
export function connectOverFrameTransport(options: ConnectionOptions): Promise<NatsConnection> {
  setTransportFactory({ factory: () => new FrameTransport(), dnsResolveFn: nodeResolveHost });
  return NatsConnectionImpl.connect(options);
}
