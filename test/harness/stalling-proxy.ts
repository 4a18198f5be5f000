/** A TCP proxy that can fall silent, as a stopped process or a dead link does: connections stay, nothing comes through. */

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';

export type StallingProxy = {
  /** host:port */
  readonly address: string;
  /** Nothing comes through any more, nor through new connections. */
  stall(): void;
  /** New connections work again; what was sent meanwhile stays lost. */
  flow(): void;
  /** Breaks every connection; new ones work. */
  cut(): void;
  close(): Promise<void>;
};

export async function startProxy(port: number): Promise<StallingProxy> {
  const sockets = new Set<Socket>();
  let stalled = false;
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (data) => stalled || to.write(data));
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on('error', () => from.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    stall() {
      stalled = true;
    },
    flow() {
      stalled = false;
    },
    cut,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cut();
      }),
  };
}
