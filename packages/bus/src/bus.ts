/**
 * One connection to NATS and what is made on it. Opened and closed by a service's main; everything else is handed it.
 * D12: reconnects for ever, and API calls give up soon, because an old server leaves some of them unanswered.
 */

import type { BusSettings } from '@stream-infer/core/bus-settings';
import { Fault } from '@stream-infer/core/fault';
import { redactUrl } from '@stream-infer/core/redact-url';
import { createInbox, Events, type JetStreamClient, type JetStreamManager, type NatsConnection } from 'nats';
import { accessFault, connectFault, type Side, statusFault } from './access-fault.ts';
import type { BusClient } from './bus-client.ts';
import { asksForTls, BusTls } from './bus-tls.ts';
import { credentialsOf } from './credentials.ts';
import { connectOverFrameTransport } from './frame-transport.ts';
import { serversOf } from './servers.ts';
import { createTopology, type Topology } from './topology.ts';

export type Bus = {
  readonly connection: NatsConnection;
  readonly jetstream: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly topology: Topology;
  /** The largest message that the server takes, in bytes. */
  readonly maxPayloadBytes: number;
  /** How many servers of a cluster are to keep what is in files. */
  readonly replicas: number;
  /** Whether the server is there now. */
  readonly isConnected: boolean;
  /** A subject for replies that nobody else may read. */
  newInbox(): string;
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
  /** Whose subjects it uses, as permissions are given by; an operator where it is left out. */
  readonly client?: BusClient;
  /** Credentials and TLS, where the URL does not say all. */
  readonly access?: BusAccess;
  /**
   * Told of each message or value that was ignored because it broke the protocol, of what the server forbids us, and of why it does not take us
   * back; nobody is where it is left out.
   */
  readonly report?: (fault: Fault) => void;
};

export type BusAccess = Partial<Omit<BusSettings, 'natsUrl' | 'natsPrefix'>>;

/** What of the options stands in a process's settings. */
export const reachedBy = (settings: BusSettings): Pick<BusOptions, 'url' | 'prefix' | 'access'> => ({
  url: settings.natsUrl,
  prefix: settings.natsPrefix,
  access: settings,
});

export const API_TIMEOUT_MS = 2_000;
/** A link that is dead without having been closed is given up after half a minute, and the server connected to anew. */
const PING_MS = 10_000;
const MOST_PINGS_UNANSWERED = 2;

/**
 * Throws NATS_UNREACHABLE where no server answers or it has no JetStream, NATS_UNAUTHORIZED where it refuses the credentials, TLS_REFUSED,
 * NATS_FORBIDDEN where they may not do what this client does, CREDENTIALS_INVALID.
 */
export async function connectBus(options: BusOptions): Promise<Bus> {
  const { url, prefix, name, client = 'operator', access = {}, report = () => undefined } = options;
  const { natsReplicas: replicas = 1 } = access;
  const servers = serversOf(url);
  const topology = createTopology(prefix);
  const inboxPrefix = topology.inboxPrefix(client);
  const { who, authenticator } = credentialsOf(access, servers);
  const tls = new BusTls(access);
  const side: Side = { place: redactUrl(servers.servers.join(',')), who, client, tls };
  let connection: NatsConnection;
  try {
    connection = await connectOverFrameTransport(tls, {
      servers: servers.servers,
      name,
      inboxPrefix,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 200,
      // Refused credentials may be replaced, and a server's list of users too.
      ignoreAuthErrorAbort: true,
      pingInterval: PING_MS,
      maxPingOut: MOST_PINGS_UNANSWERED,
      // A stack for each request costs a tenth of a publisher's time; faults name what was asked.
      noAsyncTraces: true,
      ...(authenticator && { authenticator }),
      ...(asksForTls(url, access) && { tls }),
    });
  } catch (error) {
    throw connectFault(error, side);
  }
  const reconnection = followStatus(connection, side, report);
  try {
    if (replicas > 1 && connection.info?.cluster === undefined)
      throw new Fault(
        'BUS_FAILED',
        `natsReplicas is ${replicas}, and the NATS server at ${side.place} is in no cluster: set it to 1, or give the servers of a cluster`,
      );
    const jetstream = connection.jetstream({ timeout: API_TIMEOUT_MS });
    const manager = await connection.jetstreamManager({ timeout: API_TIMEOUT_MS });
    return {
      connection,
      jetstream,
      manager,
      topology,
      replicas,
      maxPayloadBytes: connection.info?.max_payload ?? 1_048_576,
      get isConnected() {
        return reconnection.isConnected() && !connection.isClosed();
      },
      newInbox: () => createInbox(inboxPrefix),
      protocolBroken: (what) => report(new Fault('PROTOCOL_BROKEN', what)),
      onReconnect: reconnection.onReconnect,
      async close() {
        if (connection.isClosed()) return;
        await Promise.race([connection.drain(), new Promise((resolve) => setTimeout(resolve, 2_000).unref())]);
        await connection.close();
      },
    };
  } catch (error) {
    await connection.close();
    throw error instanceof Fault ? error : accessFault(error, side);
  }
}

/** Whether the server is there, for as long as the connection is open; what it forbids, and why it does not take us back, is reported. */
function followStatus(connection: NatsConnection, side: Side, report: (fault: Fault) => void) {
  const listeners = new Set<() => void>();
  let connected = true;
  /** What was told of since the server was last there: each once. */
  const told = new Set<string>();
  const tell = (fault: Fault): void => {
    if (told.has(fault.message) || told.size >= MOST_TOLD) return;
    told.add(fault.message);
    report(fault);
  };
  const following = async (): Promise<void> => {
    for await (const status of connection.status()) {
      if (status.type === Events.Disconnect) connected = false;
      const trouble = statusFault(status, side, connected);
      if (trouble) tell(trouble);
      if (status.type !== Events.Reconnect) continue;
      connected = true;
      told.clear();
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

/** Subjects that are forbidden may differ by stream. */
const MOST_TOLD = 100;
