/**
 * One service of the run as a child process: started, its log read, started again where it asks for that, and its death told as the
 * fault that it logged.
 */

import { FAULTS, Fault, type FaultCode } from '@stream-infer/core/fault';
import { environmentName, SERVICE_SETTINGS } from '@stream-infer/core/settings';
import { RESTART_STATUS } from '@stream-infer/service-kit/restart-status';
import { lastWords } from './last-words.ts';
import { type LogLine, parseLogLine, restartLine } from './log-line.ts';
import { type ManagedProcess, type ProcessEnd, startProcess } from './managed-process.ts';
import { SERVICE_NODE_FLAGS, type ServiceName, servicePath } from './service-program.ts';
import { supervise } from './supervision.ts';
import type { Workspace } from './workspace.ts';

export type ServiceAddresses = Readonly<Record<string, string>>;

export type ServiceProcess = {
  readonly name: ServiceName;
  /** Where it listens, once it runs. Rejects with the fault that it ended with before. */
  readonly started: Promise<ServiceAddresses>;
  /** Resolves with a fault when it has ended for good without being told to. */
  readonly failed: Promise<Fault>;
  stop(graceMs: number): Promise<void>;
  kill(): void;
};

export type ServiceProcessOptions = {
  readonly name: ServiceName;
  readonly workspace: Workspace;
  /** Settings by the names of their variables; they win over everything that this process was given. */
  readonly settings: Readonly<Record<string, string>>;
  /** It gives way to other processes where cores are short. */
  readonly yields: boolean;
  /** What it logs; nothing else of it is told. */
  readonly onLog: (line: LogLine) => void;
  /** What it, or a user's module in it, prints on standard output. */
  readonly onOutput: (line: string) => void;
};

export function startService(options: ServiceProcessOptions): ServiceProcess {
  const { name } = options;
  const started = Promise.withResolvers<ServiceAddresses>();
  // Whoever waits for `failed` need not wait for it.
  started.promise.catch(() => undefined);
  /** Where it listened first: where the others, and the user, go on finding it. */
  let addresses: ServiceAddresses | undefined;
  const { failed, stop, kill } = supervise({
    async start() {
      let fatal: LogLine | undefined;
      let isUp = false;
      const process = await launch(options, portsOf(addresses), (line) => {
        if (line.addresses) {
          isUp = true;
          addresses ??= line.addresses;
          started.resolve(line.addresses);
        }
        if (line.level === 'fatal') fatal = line;
        else options.onLog(line);
      });
      return {
        process,
        hasStarted: () => isUp,
        death: (end) => {
          const mended = end.status === RESTART_STATUS || fatal?.code === undefined ? undefined : mending(fatal.code);
          return { fault: deathOf(process, end, fatal), ...(mended && { mended }) };
        },
      };
    },
    onRestart: (fault) => options.onLog(restartLine(name, fault)),
  });
  void failed.then(started.reject);
  return { name, started: started.promise, failed, stop, kill };
}

/** What the user has to mend is not tried again; the server of the system may be on its way up. */
function mending(code: FaultCode): 'never' | 'elsewhere' | undefined {
  if (FAULTS[code].exitStatus === 2) return 'never';
  return code === 'NATS_UNREACHABLE' || code === 'BUS_FAILED' ? 'elsewhere' : undefined;
}

/** Settings by which a service listens again where it did. */
function portsOf(addresses: ServiceAddresses | undefined): Readonly<Record<string, string>> {
  const ports = Object.entries(addresses ?? {}).map(([protocol, address]) => {
    const port = /:(\d+)$/.exec(address)?.[1] ?? '0';
    return [`${protocol.toUpperCase()}_PORT`, port] as const;
  });
  return Object.fromEntries(ports);
}

async function launch(
  options: ServiceProcessOptions,
  ports: Readonly<Record<string, string>>,
  onLog: (line: LogLine) => void,
): Promise<ManagedProcess> {
  const { name, workspace, settings, yields, onOutput } = options;
  return startProcess({
    name,
    command: process.execPath,
    args: [...SERVICE_NODE_FLAGS, servicePath(name, 'main')],
    environment: { ...ownEnvironment(), ...settings, ...ports },
    workspace,
    yields,
    onLine: (line) => {
      const parsed = parseLogLine(line);
      if (parsed) onLog(parsed);
    },
    onOutput,
  });
}

const SETTING_NAMES = new Set(
  Object.values(SERVICE_SETTINGS).flatMap(({ shape }) => Object.keys(shape).map(environmentName)),
);

/** Our environment without the settings of services: one HTTP_PORT would be that of all of them. */
const ownEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !SETTING_NAMES.has(name)));

/** The fault that it logged last, else that it died and what it said. */
function deathOf(
  { name, lastLines }: ManagedProcess,
  { status, signal }: ProcessEnd,
  fatal: LogLine | undefined,
): Fault {
  if (fatal?.code) return new Fault(fatal.code, fatal.message);
  const how = signal === null ? `with status ${status}` : `by ${signal}`;
  // Of who kills it the process knows nothing.
  const said = fatal?.message ?? (signal === 'SIGKILL' ? undefined : lastWords(lastLines()));
  return new Fault('SERVICE_DIED', `${name} ended ${how}${said === undefined ? '' : ` (it said last: "${said}")`}`);
}
