/**
 * One service of the run as a child process: started, its log read, started again where it asks for that, and its death told as the
 * fault that it logged.
 */

import { setTimeout as wait } from 'node:timers/promises';
import { Fault } from '@stream-infer/core/fault';
import { environmentName, SERVICE_SETTINGS } from '@stream-infer/core/settings';
import { RESTART_STATUS } from '@stream-infer/service-kit/restart-status';
import { type LogLine, parseLogLine } from './log-line.ts';
import { type ManagedProcess, type ProcessEnd, startProcess } from './managed-process.ts';
import { SERVICE_NODE_FLAGS, type ServiceName, servicePath } from './service-program.ts';
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

/** Waits between one restart and the next; a service that then runs for longer than the last of them starts over. */
const RESTART_WAITS_MS = [0, 250, 500, 1_000, 2_000, 5_000] as const;
const STEADY_MS = 10_000;

export function startService(options: ServiceProcessOptions): ServiceProcess {
  const started = Promise.withResolvers<ServiceAddresses>();
  const failed = Promise.withResolvers<Fault>();
  // Whoever waits for one of them need not wait for the other.
  started.promise.catch(() => undefined);
  const stopping = new AbortController();
  let current: ManagedProcess | undefined;

  const running = supervise(options, {
    signal: stopping.signal,
    onProcess: (process) => {
      current = process;
    },
    onStarted: started.resolve,
  }).then((fault) => {
    if (!fault) return;
    started.reject(fault);
    failed.resolve(fault);
  });
  return {
    name: options.name,
    started: started.promise,
    failed: failed.promise,
    async stop(graceMs) {
      stopping.abort();
      await current?.stop(graceMs);
      await running;
    },
    kill() {
      stopping.abort();
      current?.kill();
    },
  };
}

type Supervision = {
  readonly signal: AbortSignal;
  onProcess(process: ManagedProcess): void;
  onStarted(addresses: ServiceAddresses): void;
};

/** One life after another, until it is told to stop (no fault) or ends for good. */
async function supervise(options: ServiceProcessOptions, supervision: Supervision): Promise<Fault | undefined> {
  const { name } = options;
  const { signal } = supervision;
  let restarts = 0;
  while (true) {
    const startedAtMs = performance.now();
    let fatal: LogLine | undefined;
    let process: ManagedProcess;
    try {
      process = await launch(options, (line) => {
        if (line.addresses) supervision.onStarted(line.addresses);
        if (line.level === 'fatal') fatal = line;
        else options.onLog(line);
      });
    } catch (error) {
      return new Fault('SERVICE_DIED', `${name} cannot be started: ${String(error)}`, { cause: error });
    }
    supervision.onProcess(process);
    if (signal.aborted) process.kill();
    const end = await process.ended;
    if (signal.aborted) return undefined;
    if (end.status !== RESTART_STATUS) return deathOf(process, end, fatal);
    restarts = performance.now() - startedAtMs > STEADY_MS ? 0 : restarts + 1;
    await wait(RESTART_WAITS_MS[Math.min(restarts, RESTART_WAITS_MS.length - 1)], undefined, { signal }).catch(
      () => undefined,
    );
    if (signal.aborted) return undefined;
  }
}

function launch(options: ServiceProcessOptions, onLog: (line: LogLine) => void): Promise<ManagedProcess> {
  const { name, workspace, settings, yields, onOutput } = options;
  return startProcess({
    name,
    command: process.execPath,
    args: [...SERVICE_NODE_FLAGS, servicePath(name, 'main')],
    environment: { ...ownEnvironment(), ...settings },
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
  const line = lastLines().findLast((text) => text.trim() !== '');
  const said = fatal?.message ?? (line === undefined ? undefined : (parseLogLine(line)?.message ?? line.trim()));
  return new Fault('SERVICE_DIED', `${name} ended ${how}${said === undefined ? '' : `, and said last: ${said}`}`);
}
