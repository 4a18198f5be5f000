/**
 * One connection to NATS and what is made on it. Opened and closed by a service's main; everything else is handed it.
 * D12: reconnects for ever, and API calls give up soon, because an old server leaves some of them unanswered.
 */

import { Fault } from '@stream-infer/core/fault';
import { redactUrl } from '@stream-infer/core/redact-url';
import { connect, type JetStreamClient, type JetStreamManager, type NatsConnection } from 'nats';
import { createTopology, type Topology } from './topology.ts';

export type Bus = {
  readonly connection: NatsConnection;
  readonly jetstream: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly topology: Topology;
  /** The largest message that the server takes, in bytes. */
  readonly maxPayloadBytes: number;
  /** Flushes and closes; idempotent. */
  close(): Promise<void>;
};

export type BusOptions = {
  /** `nats://host:port`, several separated by commas; credentials in it are never printed. */
  readonly url: string;
  readonly prefix: string;
  /** How the server lists this connection. */
  readonly name: string;
};

export const API_TIMEOUT_MS = 2_000;

/** Throws NATS_UNREACHABLE where no server answers or it has no JetStream. */
export async function connectBus({ url, prefix, name }: BusOptions): Promise<Bus> {
  let connection: NatsConnection;
  try {
    connection = await connect({
      servers: url.split(','),
      name,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 200,
      // A stack for each request costs a tenth of a publisher's time; faults name what was asked.
      noAsyncTraces: true,
    });
  } catch (error) {
    throw new Fault('NATS_UNREACHABLE', `no NATS server answers at ${redactUrl(url)}: start one or set NATS_URL`, {
      cause: error,
    });
  }
  try {
    const jetstream = connection.jetstream({ timeout: API_TIMEOUT_MS });
    const manager = await connection.jetstreamManager({ timeout: API_TIMEOUT_MS });
    return {
      connection,
      jetstream,
      manager,
      topology: createTopology(prefix),
      maxPayloadBytes: connection.info?.max_payload ?? 1_048_576,
      async close() {
        if (connection.isClosed()) return;
        await Promise.race([connection.drain(), new Promise((resolve) => setTimeout(resolve, 2_000).unref())]);
        await connection.close();
      },
    };
  } catch (error) {
    await connection.close();
    throw new Fault(
      'NATS_UNREACHABLE',
      `the NATS server at ${redactUrl(url)} offers no JetStream: start it with --jetstream`,
      { cause: error },
    );
  }
}
