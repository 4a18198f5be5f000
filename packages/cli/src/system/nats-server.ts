/**
 * The run's own nats-server: on a free port of loopback, with its store in the run's temporary folder, gone with the run. Frames
 * live in its memory, so that it may use half of the machine's (or the container's).
 */

import { readdir, readFile, statfs, writeFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Fault } from '@stream-infer/core/fault';
import { findExecutable, isAtLeast, programVersion, type Version } from './executable.ts';
import { startProcess } from './managed-process.ts';
import { type Supervised, supervise } from './supervision.ts';
import type { Workspace } from './workspace.ts';

export const NATS_SERVER_AT_LEAST: Version = [2, 9];

const MAX_PAYLOAD_BYTES = 16 * 2 ** 20;
/** What one connection may have waiting: several of the largest frames. */
const MAX_PENDING_BYTES = 16 * MAX_PAYLOAD_BYTES;
const MOST_RESULTS_BYTES = 4 * 2 ** 30;
const LEAST_RESULTS_BYTES = 2 ** 20;
/** For dead letters; the oldest give way. */
export const DEAD_LETTERS_BYTES = 16 * 2 ** 20;
/** For the registry, beside the results. */
const REGISTRY_BYTES = 64 * 2 ** 20;
const environment = process.env;
const START_LIMIT_MS = 10_000;
const POLL_MS = 10;

export type NatsServer = Supervised & {
  readonly url: string;
  /** Limit of the result stream that the disk allows, in bytes. */
  readonly resultsMaxBytes: number;
  /** What frames may take of the memory, in bytes. */
  readonly memoryBytes: number;
};

/** Path of a nats-server that is new enough. Throws NATS_SERVER_MISSING or NATS_SERVER_TOO_OLD. */
export async function findNatsServer(): Promise<string> {
  const file = await findExecutable('nats-server');
  if (file === undefined)
    throw new Fault(
      'NATS_SERVER_MISSING',
      'there is no nats-server on the PATH: install it (apt-get install nats-server), or run make setup',
    );
  const version = await programVersion(file, '--version');
  if (isAtLeast(version, NATS_SERVER_AT_LEAST)) return file;
  throw new Fault(
    'NATS_SERVER_TOO_OLD',
    `${file} is version ${version}: install ${NATS_SERVER_AT_LEAST.join('.')} or newer, or put one first on the PATH`,
  );
}

/** Where the server keeps what survives it, and how much of the disk results may take. */
export type ServerStore = { readonly directory: string; readonly resultsMaxBytes: number };

/** What the disk of a folder allows: a quarter of what is free now. */
export async function serverStore(directory: string, diskOf: string): Promise<ServerStore> {
  const quarter = Math.floor((await freeBytes(diskOf)) / 4);
  return { directory, resultsMaxBytes: Math.max(LEAST_RESULTS_BYTES, Math.min(MOST_RESULTS_BYTES, quarter)) };
}

export type NatsServerOptions = {
  /** Path of nats-server. */
  readonly file: string;
  readonly workspace: Workspace;
  /** It gives way to other processes where cores are short. */
  readonly yields: boolean;
  /** The store of an earlier server, where one is to go on; else it is in the workspace and gone with it. */
  readonly kept?: ServerStore | undefined;
  /** Who may connect: a block of its configuration. */
  readonly authorization: string;
  /** It ended unasked and is started again, on the same port and with the same store. */
  onRestart(fault: Fault): void;
};

/** Resolves when it listens. Throws NATS_SERVER_MISSING, NATS_SERVER_TOO_OLD or SERVICE_DIED. */
export async function startNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  const { file, workspace, yields, kept, authorization, onRestart } = options;
  const { directory } = workspace;
  const store = kept ?? (await serverStore(join(directory, 'nats'), directory));
  const { resultsMaxBytes } = store;
  const memoryBytes = Math.floor(machineMemoryBytes() / 2);
  const configuration = join(directory, 'nats-server.conf');
  const log = join(directory, 'nats-server.log');
  const listening = Promise.withResolvers<string>();
  let port = -1;
  const supervised = supervise({
    async start() {
      const text = configurationText({ directory, log, port, store, memoryBytes, authorization });
      await writeFile(configuration, text, { mode: 0o600 });
      const args = ['-c', configuration];
      const process = await startProcess({ name: 'nats-server', command: file, args, environment, workspace, yields });
      if (port < 0)
        void readUrl(directory).then((url) => {
          port = Number(new URL(url).port);
          listening.resolve(url);
        }, listening.reject);
      return {
        process,
        hasStarted: () => port > 0,
        death: ({ status, signal }) => {
          const how = signal === null ? `with status ${status}` : `by ${signal}`;
          return { fault: new Fault('SERVICE_DIED', `nats-server ended ${how}`) };
        },
      };
    },
    onRestart,
  });
  const ended = supervised.failed.then(async (): Promise<never> => {
    throw new Fault('SERVICE_DIED', `nats-server ended as it started: ${await lastLogLine(log)}`);
  });
  const url = await Promise.race([listening.promise, ended]);
  ended.catch(() => undefined);
  return { url, resultsMaxBytes, memoryBytes, ...supervised };
}

type ConfigurationFacts = {
  readonly directory: string;
  readonly log: string;
  /** -1: a free one. */
  readonly port: number;
  readonly store: ServerStore;
  readonly memoryBytes: number;
  readonly authorization: string;
};

const configurationText = ({ directory, log, port, store, memoryBytes, authorization }: ConfigurationFacts): string =>
  `server_name: stream-infer
host: 127.0.0.1
port: ${port}
ports_file_dir: ${JSON.stringify(directory)}
log_file: ${JSON.stringify(log)}
max_payload: ${MAX_PAYLOAD_BYTES}
max_pending: ${MAX_PENDING_BYTES}
jetstream {
  store_dir: ${JSON.stringify(store.directory)}
  max_memory_store: ${memoryBytes}
  max_file_store: ${store.resultsMaxBytes + DEAD_LETTERS_BYTES + REGISTRY_BYTES}
}
${authorization}`;

/** What it wrote last, its time stamp left out. */
async function lastLogLine(log: string): Promise<string> {
  const text = await readFile(log, 'utf8').catch(() => '');
  const line = text.trim().split('\n').at(-1) ?? '';
  return line === '' ? 'it said nothing' : line.replace(/^\[\d+\] \S+ \S+ /, '');
}

/** The address, once the server has written it to its file. */
async function readUrl(directory: string): Promise<string> {
  const deadline = performance.now() + START_LIMIT_MS;
  while (performance.now() < deadline) {
    const file = (await readdir(directory)).find((name) => name.endsWith('.ports'));
    const text = file === undefined ? '' : await readFile(join(directory, file), 'utf8');
    const url = parsePorts(text);
    if (url !== undefined) return url;
    await wait(POLL_MS);
  }
  throw new Fault(
    'SERVICE_DIED',
    `nats-server did not listen within ${START_LIMIT_MS / 1000} s: is the machine overloaded?`,
  );
}

/** The file may be read while it is written. */
function parsePorts(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { nats?: readonly string[] }).nats?.[0];
  } catch {
    return undefined;
  }
}

async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

/** What this process may use at most: the machine's memory, or its container's. */
export function machineMemoryBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
