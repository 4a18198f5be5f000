/**
 * The whole system of one local run: a nats-server and the four services, started together, kept alive, and stopped together. The
 * first of them that cannot be kept alive ends the run.
 */

import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { BusAccess, BusOptions } from '@stream-infer/bus/bus';
import { busSettings } from '@stream-infer/core/bus-settings';
import type { Configuration } from '@stream-infer/core/configuration';
import { Fault } from '@stream-infer/core/fault';
import { environmentName, MEMORY_STORE, SERVICE_SETTINGS, type ServiceSection } from '@stream-infer/core/settings';
import { allowanceOf } from '@stream-infer/core/source-allowance';

import { newApiToken } from '../api-token.ts';
import { busUsers } from './bus-users.ts';
import { type LogLevel, type LogLine, restartLine } from './log-line.ts';
import { namedSources, type Sourced } from './named-sources.ts';
import { DEAD_LETTERS_BYTES, type ServerStore, startNatsServer } from './nats-server.ts';
import { type ServiceAddresses, type ServiceProcess, startService } from './service-process.ts';
import type { ServiceName } from './service-program.ts';
import type { Workspace } from './workspace.ts';

export type LocalSystem = {
  /** How this process reaches the bus. */
  readonly bus: Pick<BusOptions, 'url' | 'prefix' | 'client' | 'access'>;
  /** Where the collector's API listens, once every service runs. Rejects with the fault of the first that does not come up. */
  readonly ready: Promise<LocalApi>;
  /** Resolves with the fault of the first part that cannot be kept alive. */
  readonly failed: Promise<Fault>;
  /** Stops the services, then the server; what has not drained within the grace is killed. Idempotent. */
  stop(graceMs: number): Promise<void>;
  /** Ends everything at once. */
  kill(): void;
};

export type LocalApi = {
  readonly apiUrl: string;
  /** This command's own, where the API needs one. */
  readonly apiToken: string | undefined;
  /** Where each service has its health and metrics; a runner for each that there is. */
  readonly services: readonly { readonly service: ServiceName; readonly url: string }[];
};

export type LocalSystemOptions = {
  readonly workspace: Workspace;
  /** Path of nats-server. */
  readonly natsServer: string;
  /** For the services; it lists no streams. */
  readonly configuration: Configuration;
  /** That the command or its file names, with absolute paths: what they play may be played. */
  readonly streams: readonly Sourced[];
  /** Its relative paths are relative to this. */
  readonly directory: string;
  readonly runners: number;
  /**
   * Everything but the runners gives way to them where cores are short: right where a slow frame costs nothing (offline), because an
   * algorithm that is interrupted for every message loses a fifth of its speed. Wrong in realtime, where frames wait for nobody.
   */
  readonly algorithmsFirst: boolean;
  /** The least severe that services log. */
  readonly logLevel: LogLevel;
  /** What outlives the system; without it all is in the workspace. */
  readonly kept?: KeptState;
  /** Where the API listens on loopback; a free port unless told. */
  readonly apiPort?: number;
  readonly onLog: (line: LogLine) => void;
  readonly onOutput: (line: string) => void;
};

export type KeptState = {
  /** Of nats-server; in the workspace where it is not given. */
  readonly server?: ServerStore;
  /** Absolute path of the result store; as without it where it is not given. */
  readonly storePath?: string;
};

const SERVER_GRACE_MS = 1_000;

/** The server is the run's own, so that the prefix need not tell installations apart. */
const NATS_PREFIX = 'stream-infer';

/** Resolves as soon as the server listens; the services are on their way then. Throws SERVICE_DIED. */
export async function startLocalSystem(options: LocalSystemOptions): Promise<LocalSystem> {
  const { workspace, configuration, directory, runners, onLog, onOutput } = options;
  const file = join(workspace.directory, 'configuration.json');
  const named = await namedSources(options.streams, process.env);
  const allow = configuration.sources?.allow ?? allowanceOf(named, configuration.collector?.apiHost);
  const told = { ...withoutBusSettings(configuration), sources: { allow } };
  await writeFile(file, JSON.stringify(told), { mode: 0o600 });
  const users = busUsers(NATS_PREFIX);
  const api = await ownToken(configuration, options);
  const server = await startNatsServer({
    file: options.natsServer,
    workspace,
    yields: options.algorithmsFirst,
    kept: options.kept?.server,
    authorization: users.authorization,
    onRestart: (fault) => onLog(restartLine('nats-server', fault)),
  });
  const settings = {
    NATS_URL: server.url,
    NATS_PREFIX,
    STREAM_INFER_CONFIG: file,
    STREAM_INFER_CONFIG_DIRECTORY: directory,
    LOG_FORMAT: 'json',
    LOG_LEVEL: options.logLevel,
    EXIT_WITH_PARENT: 'true',
    RESULTS_MAX_BYTES: String(server.resultsMaxBytes),
    DEAD_LETTERS_MAX_BYTES: String(DEAD_LETTERS_BYTES),
    BUS_MEMORY_BYTES: String(server.memoryBytes),
    STORE_PATH: options.kept?.storePath ?? storePath(configuration, options),
    ...(api && { API_TOKENS_FILE: api.files }),
    ...(options.apiPort !== undefined && { API_PORT: String(options.apiPort) }),
    TMPDIR: workspace.directory,
  };
  const names: readonly ServiceName[] = [
    'collector',
    'scheduler',
    'ingest',
    ...Array.from({ length: runners }, () => 'algo-runner' as const),
  ];
  const services = names.map((name, at) => {
    const yields = options.algorithmsFirst && name !== 'algo-runner';
    // A service that is started again takes up at once what it held under its name.
    const own = { ...settings, ...environmentOf(users.accessOf(name)), INSTANCE_ID: `${name}-${at}` };
    return startService({ name, workspace, settings: own, yields, onLog, onOutput });
  });
  return {
    bus: { url: server.url, prefix: NATS_PREFIX, client: 'operator', access: users.accessOf('operator') },
    ready: allStarted(services).then((started) => ({ ...started, apiToken: api?.token })),
    failed: Promise.race([server.failed, ...services.map(({ failed }) => failed)]),
    async stop(graceMs) {
      await Promise.all(services.map((service) => service.stop(graceMs)));
      await server.stop(SERVER_GRACE_MS);
    },
    kill() {
      for (const service of services) service.kill();
      server.kill();
    },
  };
}

/** The server is our own: what the file says of another is not for it. */
function withoutBusSettings(configuration: Configuration): Configuration {
  const sections = (Object.keys(SERVICE_SETTINGS) as ServiceSection[]).flatMap((section) => {
    const values = configuration[section];
    const kept = Object.entries(values ?? {}).filter(([key]) => !Object.hasOwn(busSettings, key));
    return values ? [[section, Object.fromEntries(kept)] as const] : [];
  });
  return { ...configuration, ...Object.fromEntries(sections) };
}

const environmentOf = (access: BusAccess): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(access).map(([key, value]) => [environmentName(key), String(value)]));

/** Beside the tokens that are configured this command has one, which is gone with it. */
async function ownToken(
  { collector }: Configuration,
  { workspace, directory }: LocalSystemOptions,
): Promise<{ readonly token: string; readonly files: string } | undefined> {
  const configured = collector?.apiTokensFile;
  if (configured === undefined) return undefined;
  const file = join(workspace.directory, 'api-token');
  const { token, line } = newApiToken('stream-infer', 'operate');
  await writeFile(file, `${line}\n`, { mode: 0o600 });
  const files = [...configured.split(',').map((path) => resolve(directory, path.trim())), file];
  return { token, files: files.join() };
}

/** The store is the run's own, unless the configuration asks for one that stays. */
function storePath({ collector }: Configuration, { workspace, directory }: LocalSystemOptions): string {
  const path = collector?.storePath;
  return path === undefined || path === MEMORY_STORE
    ? join(workspace.directory, 'results.sqlite')
    : resolve(directory, path);
}

async function allStarted(services: readonly ServiceProcess[]): Promise<Omit<LocalApi, 'apiToken'>> {
  const addresses = await Promise.all(
    services.map(async ({ name, started }): Promise<[ServiceName, ServiceAddresses]> => [name, await started]),
  );
  const apiUrl = addresses.find(([name]) => name === 'collector')?.[1].api;
  if (apiUrl === undefined) throw new Fault('INTERNAL', 'the collector did not say where its API listens');
  return { apiUrl, services: addresses.map(([service, { http = '' }]) => ({ service, url: http })) };
}
