/**
 * The runner's gRPC server: conversations, what it serves, and health, on one port (G-2, G-11). D13: messages up to 64 MiB, and
 * keepalive both ways, so that a caller that stopped is noticed; not so soon that a busy machine loses one that is well.
 */

import { checkServerIdentity } from 'node:tls';
import {
  experimental,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  status,
} from '@grpc/grpc-js';
import { Fault } from '@stream-infer/core/fault';
import { AlgoRunnerServiceService, type DescribeResponse } from '@stream-infer/proto/stream_infer/v1/algo_runner';
import { listenFault } from '@stream-infer/service-kit/health-server';
import type { TlsFiles } from '@stream-infer/service-kit/tls-files';
import { HealthImplementation } from 'grpc-health-check';
import { type Call, Conversation, type Offer } from './conversation.ts';

export type GrpcTls = {
  readonly files: TlsFiles;
  /** Whom a certificate must name to be let in. */
  readonly clientName: string;
  /** Told of a caller that has another. */
  refused(fault: Fault): void;
};

export type GrpcServerOptions = {
  /** Undefined: anybody may call, in plain text. */
  readonly tls: GrpcTls | undefined;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly runner: string;
  readonly version: string;
  readonly offers: ReadonlyMap<string, Offer>;
};

export type GrpcServer = {
  /** host:port */
  readonly address: string;
  /** What callers may still send of an algorithm, over all conversations. */
  credits(definition: string): number;
  /**
   * Tells every caller to send nothing more, and resolves when every conversation is over, each a moment after its last answer;
   * health answers NOT_SERVING. Idempotent.
   */
  drain(): Promise<void>;
  /** Idempotent; what is still open is broken off at a limit. */
  close(): Promise<void>;
};

const MESSAGE_LIMIT_BYTES = 64 * 2 ** 20;
const KEEPALIVE = { everyMs: 2_000, answerMs: 5_000 };
const CLOSE_LIMIT_MS = 1_000;
/** The whole server, and its service by name. */
const HEALTH_NAMES = ['', 'stream_infer.v1.AlgoRunnerService'];

/** Throws PORT_IN_USE. */
export async function startGrpcServer(options: GrpcServerOptions): Promise<GrpcServer> {
  const { tls, host, port, runner, version, offers } = options;
  const conversations = new Set<Conversation>();
  let drained: PromiseWithResolvers<void> | undefined;
  const server = new Server({
    'grpc.max_receive_message_length': MESSAGE_LIMIT_BYTES,
    'grpc.max_send_message_length': MESSAGE_LIMIT_BYTES,
    'grpc.keepalive_time_ms': KEEPALIVE.everyMs,
    'grpc.keepalive_timeout_ms': KEEPALIVE.answerMs,
    'grpc.keepalive_permit_without_calls': 1,
    ...(tls && { interceptors: [callersNamed(tls)] }),
  });
  server.addService(AlgoRunnerServiceService, {
    invoke: (call: Call) => {
      const conversation = new Conversation(call, offers, () => {
        conversations.delete(conversation);
        if (conversations.size === 0) drained?.resolve();
      });
      conversations.add(conversation);
      if (drained) conversation.drain();
    },
    describe: (_call: unknown, answer: (error: null, response: DescribeResponse) => void) => {
      const algorithms = [...offers.values()].map(({ definition, concurrency, maxBatch, version: offered }) => ({
        definition,
        version: offered(),
        concurrency,
        maxBatch,
      }));
      answer(null, { runner, version, algorithms });
    },
  });
  const health = new HealthImplementation(Object.fromEntries(HEALTH_NAMES.map((name) => [name, 'SERVING'])));
  health.addToServer(server);
  const bound = await bind(server, tls, host, port);
  let closed: Promise<void> | undefined;
  return {
    address: `${bracketed(host)}:${bound}`,
    credits: (definition) => [...conversations].reduce((sum, each) => sum + each.credits(definition), 0),
    drain() {
      if (!drained) {
        drained = Promise.withResolvers();
        for (const name of HEALTH_NAMES) health.setStatus(name, 'NOT_SERVING');
        for (const conversation of conversations) conversation.drain();
        if (conversations.size === 0) drained.resolve();
      }
      return drained.promise;
    },
    close() {
      closed ??= shutDown(server);
      return closed;
    },
  };
}

/** An IPv6 address stands in brackets before its port. */
const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);

function bind(server: Server, tls: GrpcTls | undefined, host: string, port: number): Promise<number> {
  const credentials = tls
    ? experimental.createCertificateProviderServerCredentials(tls.files, tls.files, true)
    : ServerCredentials.createInsecure();
  return new Promise((resolve, reject) => {
    server.bindAsync(`${bracketed(host)}:${port}`, credentials, (error, bound) => {
      if (!error) resolve(bound);
      else reject(listenFault(withCode(error), host, port));
    });
  });
}

/** Whoever has a certificate of the same issuer gets a connection; what it asks is answered to those with the name alone. */
function callersNamed({ clientName, refused }: GrpcTls): ServerInterceptor {
  return (_method, call) => {
    const { sslPeerCertificate: certificate } = call.getAuthContext();
    if (certificate !== undefined && checkServerIdentity(clientName, certificate) === undefined)
      return new ServerInterceptingCall(call);
    const names = certificate?.subjectaltname ?? 'no name';
    const details = `the certificate of the caller is for ${names}, and ${clientName} may call: GRPC_CLIENT_NAME of the runner says who`;
    refused(new Fault('TLS_REFUSED', `${call.getPeer()} is refused: ${details}`));
    return new ServerInterceptingCall(call, {
      start: (next) => {
        next();
        call.sendStatus({ code: status.PERMISSION_DENIED, details });
      },
    });
  };
}

/** gRPC tells of a taken port in words alone. */
const withCode = (error: Error): Error =>
  error.message.includes('EADDRINUSE') ? Object.assign(error, { code: 'EADDRINUSE' }) : error;

/**
 * Not before the conversations are over: a GOAWAY breaks them, with answers on their way. Health watchers never end by themselves, so
 * the wait is bounded.
 */
function shutDown(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => server.forceShutdown(), CLOSE_LIMIT_MS);
    server.tryShutdown(() => {
      clearTimeout(limit);
      resolve();
    });
  });
}
