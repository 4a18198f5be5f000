/**
 * The life of a service's process: settings, logger, metrics, health server; then the service itself; then a stop on SIGTERM or
 * SIGINT that drains and exits 0, a restart that it asks for itself, or a fault that is logged with its code and gives the exit
 * status.
 */

import { type Fault, toFault } from '@stream-infer/core/fault';
import type { ServiceSection, Settings } from '@stream-infer/core/settings';
import type { Registry } from 'prom-client';
import type { LoadedConfiguration } from './configuration-file.ts';
import { readConfigurationFile } from './configuration-file.ts';
import { faultReporter } from './fault-reporter.ts';
import { startHealthServer } from './health-server.ts';
import { createLogger, type Logger } from './logger.ts';
import { createMetrics } from './metrics.ts';
import { createProcessExit, type ProcessExit } from './process-exit.ts';
import { RESTART_STATUS } from './restart-status.ts';
import { readSettings } from './settings.ts';

/** Why a service's process ends. */
type End =
  | { readonly kind: 'stop' }
  | { readonly kind: 'restart'; readonly reason: string }
  | { readonly kind: 'fault'; readonly fault: Fault };

/** What a service is made from. */
export type ServiceContext<S extends ServiceSection> = {
  readonly settings: Settings<S>;
  /** The configuration file named by STREAM_INFER_CONFIG, where one is. */
  readonly configuration: LoadedConfiguration | undefined;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** Logs a fault that the service survives, and counts it by code. */
  report(fault: Fault, fields?: Readonly<Record<string, unknown>>): void;
  /** Ends the process with this fault, after the drain. */
  fail(fault: Fault): void;
  /** Drains and ends the process with RESTART_STATUS, so that its supervisor starts it again. */
  restart(reason: string): void;
  /** Registers what tells, when the process ends, whether a thread is inside native code (process-exit.ts). */
  guardExit(holdsProcess: () => boolean): void;
};

/** A service that runs. */
export type Service = {
  /** Where it listens beside health and metrics, by protocol, such as {grpc: 'host:port'}. */
  readonly addresses: Readonly<Record<string, string>>;
  live(): boolean;
  ready(): boolean;
  /** What became of everything here, for /debug/ledger (I1). */
  ledger?(): unknown;
  /** Takes nothing new, finishes what it has, closes what it opened. Idempotent. */
  stop(): Promise<void>;
};

export type ServiceDescription<S extends ServiceSection> = {
  /** As logs and metrics name it, such as `algo-runner`. */
  readonly name: string;
  readonly section: S;
  start(context: ServiceContext<S>): Promise<Service>;
};

/** Runs the service until it is told to stop or fails; sets the exit status and ends the process. */
export async function runService<S extends ServiceSection>(description: ServiceDescription<S>): Promise<void> {
  const exit = createProcessExit();
  const fatal = (error: unknown): number => {
    const fault = toFault(error);
    const stack = fault.code === 'INTERNAL' && error instanceof Error ? { stack: error.stack } : {};
    createLogger({ service: description.name, level: 'info', format: 'auto' }).fatal(
      { code: fault.code, ...stack },
      fault.message,
    );
    return fault.exitStatus;
  };
  // A defect, a promise that nobody waited for among them: one line with its code, as every fault.
  process.on('uncaughtException', (error) => exit.end(fatal(error)));
  exit.end(await live(description, exit).catch(fatal));
}

async function live<S extends ServiceSection>(
  { name, section, start }: ServiceDescription<S>,
  exit: ProcessExit,
): Promise<number> {
  const path = process.env.STREAM_INFER_CONFIG;
  // The command writes a file of its own, in which paths stay relative to where the user's lies.
  const directory = process.env.STREAM_INFER_CONFIG_DIRECTORY || undefined;
  const configuration = path ? await readConfigurationFile(path, directory) : undefined;
  const file = configuration && { values: configuration.configuration[section], directory: configuration.directory };
  const settings = readSettings(section, file, process.env);
  const logger = createLogger({ service: name, level: settings.logLevel, format: settings.logFormat });
  const metrics = createMetrics(name);
  const ended = Promise.withResolvers<End>();
  const stop = (): void => ended.resolve({ kind: 'stop' });
  process.once('SIGTERM', stop).once('SIGINT', stop);
  if (settings.exitWithParent) process.stdin.once('end', stop).once('error', stop).resume();

  let service: Service | undefined;
  const health = await startHealthServer({
    host: settings.httpHost,
    port: settings.httpPort,
    metrics,
    live: () => service?.live() ?? true,
    ready: () => service?.ready() ?? false,
    ledger: () => service?.ledger?.(),
  });
  try {
    const starting = start({
      settings,
      configuration,
      logger,
      metrics,
      report: faultReporter(logger, metrics),
      fail: (fault) => ended.resolve({ kind: 'fault', fault }),
      restart: (reason) => ended.resolve({ kind: 'restart', reason }),
      guardExit: exit.guard,
    });
    service = await Promise.race([starting, ended.promise.then(() => undefined)]);
    if (service) logger.info({ addresses: { http: health.address, ...service.addresses } }, 'started');
    // Told to stop while it was starting: let the start finish, so that what it opened is closed, but not for ever.
    else service = await Promise.race([starting.catch(() => undefined), drainLimit(settings.drainTimeoutMs)]);
    const end = await ended.promise;
    logger.info({ reason: end.kind === 'restart' ? end.reason : end.kind }, 'stopping');
    await Promise.race([service?.stop(), drainLimit(settings.drainTimeoutMs)]);
    switch (end.kind) {
      case 'stop':
        return 0;
      case 'restart':
        return RESTART_STATUS;
      case 'fault':
        logger.fatal({ code: end.fault.code }, end.fault.message);
        return end.fault.exitStatus;
    }
  } catch (error) {
    const fault = toFault(error);
    logger.fatal({ code: fault.code }, fault.message);
    return fault.exitStatus;
  } finally {
    await health.close();
  }
}

const drainLimit = (limitMs: number): Promise<undefined> =>
  new Promise((resolve) => setTimeout(() => resolve(undefined), limitMs).unref());
