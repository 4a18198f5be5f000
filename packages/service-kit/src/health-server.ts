/** Health, metrics and ledger of a service over HTTP, on a port of their own: KServe's paths and Prometheus' text. */

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Fault } from '@stream-infer/core/fault';
import type { Registry } from 'prom-client';

export type HealthServer = {
  /** http://host:port */
  readonly address: string;
  close(): Promise<void>;
};

export type HealthServerOptions = {
  readonly host: string;
  readonly port: number;
  readonly metrics: Registry;
  /** Whether work moves (I7); a service that answers false is to be restarted. */
  live(): boolean;
  /** Whether new work is welcome. */
  ready(): boolean;
  /** What became of everything, as JSON at /debug/ledger; undefined where the service keeps no ledger. */
  ledger(): unknown;
};

/** Throws PORT_IN_USE. */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const answer = (response: ServerResponse, status: number, type: string, body: string): void => {
    response.writeHead(status, { 'content-type': type }).end(body);
  };
  const json = (response: ServerResponse, name: string, good: boolean): void =>
    answer(response, good ? 200 : 503, 'application/json', JSON.stringify({ [name]: good }));
  const notFound = (response: ServerResponse): void =>
    answer(response, 404, 'application/json', JSON.stringify({ error: 'not found' }));
  const server = createServer((request, response) => {
    switch (request.url?.split('?')[0]) {
      case '/v2/health/live':
        return json(response, 'live', options.live());
      case '/v2/health/ready':
        return json(response, 'ready', options.ready());
      case '/metrics':
        options.metrics.metrics().then(
          (text) => answer(response, 200, options.metrics.contentType, text),
          (error: unknown) => answer(response, 500, 'text/plain', String(error)),
        );
        return;
      case '/debug/ledger': {
        const ledger = options.ledger();
        if (ledger === undefined) return notFound(response);
        return answer(response, 200, 'application/json', `${JSON.stringify(ledger, null, 2)}\n`);
      }
      default:
        return notFound(response);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenFault(error, options.host, options.port)));
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://${options.host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The fault of a server that could not listen. */
export function listenFault(error: unknown, host: string, port: number): Fault {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'EADDRINUSE'
    ? new Fault('PORT_IN_USE', `port ${port} of ${host} is in use: choose another or end what listens there`, {
        cause: error,
      })
    : new Fault(
        'PORT_IN_USE',
        `cannot listen on ${host}:${port}: ${error instanceof Error ? error.message : String(error)}`,
        { cause: error },
      );
}
