/**
 * One connection to NATS and what is made on it. Opened and closed by a service's main; everything else is handed it.
 * D12: reconnects for ever, and API calls give up soon, because an old server leaves some of them unanswered.
 */

import { Fault } from '@stream-infer/core/fault';
import { redactUrl } from '@stream-infer/core/redact-url';
import { ErrorCode, Events, type JetStreamClient, type JetStreamManager, type NatsConnection, NatsError } from 'nats';
import { connectOverFrameTransport } from './frame-transport.ts';
import { type Servers, serversOf } from './servers.ts';
import { createTopology, type Topology } from './topology.ts';

export type Bus = {
  readonly connection: NatsConnection;
  readonly jetstream: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly topology: Topology;
  /** The largest message that the server takes, in bytes. */
  readonly maxPayloadBytes: number;
  /** Whether the server is there now. */
  readonly isConnected: boolean;
  /** Tells of what stands on the bus, or came over it, and is not what the protocol says: `what`, the same for the same culprit. */
  protocolBroken(what: string): void;
  /** Calls back whenever the server is there again, until the returned function is called. */
  onReconnect(listener: () => void): () => void;
  /** Flushes and closes; idempotent. */
  close(): Promise<void>;
};

export type BusOptions = {
  /** `nats://user:password@host:port` or `nats://token@host:port`, several separated by commas; credentials are never printed. */
  readonly url: string;
  readonly prefix: string;
  /** How the server lists this connection. */
  readonly name: string;
  /** Told of each message or value that was ignored because it broke the protocol; nobody is where it is left out. */
  readonly onProtocolBroken?: (fault: Fault) => void;
};

export const API_TIMEOUT_MS = 2_000;

/** Throws NATS_UNREACHABLE where no server answers or it has no JetStream. */
export async function connectBus({ url, prefix, name, onProtocolBroken }: BusOptions): Promise<Bus> {
  const servers = serversOf(url);
  let connection: NatsConnection;
  try {
    connection = await connectOverFrameTransport({
      ...servers,
      name,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 200,
      // A stack for each request costs a tenth of a publisher's time; faults name what was asked.
      noAsyncTraces: true,
    });
  } catch (error) {
    throw connectFault(error, servers);
  }
  const reconnection = followStatus(connection);
  try {
    const jetstream = connection.jetstream({ timeout: API_TIMEOUT_MS });
    const manager = await connection.jetstreamManager({ timeout: API_TIMEOUT_MS });
    return {
      connection,
      jetstream,
      manager,
      topology: createTopology(prefix),
      maxPayloadBytes: connection.info?.max_payload ?? 1_048_576,
      get isConnected() {
        return reconnection.isConnected() && !connection.isClosed();
      },
      protocolBroken: (what) => onProtocolBroken?.(new Fault('PROTOCOL_BROKEN', what)),
      onReconnect: reconnection.onReconnect,
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
      `the NATS server at ${where(servers)} offers no JetStream: start it with --jetstream`,
      { cause: error },
    );
  }
}

const where = ({ servers }: Servers): string => redactUrl(servers.join(','));

function connectFault(error: unknown, servers: Servers): Fault {
  const isRefused = error instanceof NatsError && error.code === ErrorCode.AuthorizationViolation;
  const problem = isRefused
    ? `the NATS server at ${where(servers)} refuses the credentials: set NATS_URL to nats://user:password@host:port`
    : `no NATS server answers at ${where(servers)}: start one or set NATS_URL`;
  return new Fault('NATS_UNREACHABLE', problem, { cause: error });
}

/** Whether the server is there, for as long as the connection is open. */
function followStatus(connection: NatsConnection) {
  const listeners = new Set<() => void>();
  let connected = true;
  const following = async (): Promise<void> => {
    for await (const { type } of connection.status()) {
      if (type === Events.Disconnect) connected = false;
      if (type !== Events.Reconnect) continue;
      connected = true;
      for (const listener of listeners) listener();
    }
  };
  void following().catch(() => undefined);
  return {
    isConnected: () => connected,
    onReconnect(listener: () => void): () => void {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
