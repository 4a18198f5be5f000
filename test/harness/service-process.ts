/** One service as a process of its own, as a container would run it: with its flags too. */

import type { ChildProcess } from 'node:child_process';
import { spawnOwned } from '@stream-infer/service-kit/owned-process';
import { SERVICE_NODE_FLAGS } from '../../packages/cli/src/system/service-program.ts';
import { serviceEntry } from './programs.ts';

export type ServiceName = 'ingest' | 'scheduler' | 'algo-runner' | 'collector';

export type ServiceProcess = {
  readonly process: ChildProcess;
  /** By protocol, as the service logged them. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Everything on standard error so far. */
  log(): string;
  /** Sends SIGTERM and tells the exit status. */
  stop(): Promise<number | null>;
};

/**
 * Resolves when the service has logged that it started; rejects with its log where it ends before.
 *
 * @param entry its program, where that is of another version.
 */
export async function startService(
  name: ServiceName,
  environment: Readonly<Record<string, string>>,
  entry = serviceEntry(name),
): Promise<ServiceProcess> {
  const child = spawnOwned(process.execPath, [...SERVICE_NODE_FLAGS, entry], {
    env: { ...process.env, LOG_FORMAT: 'json', SOURCES_ALLOW: 'all', ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return untilStarted(name, child);
}

/** Resolves when the process has logged that it started; rejects with its log where it ends before. */
export async function untilStarted(name: string, child: ChildProcess): Promise<ServiceProcess> {
  let log = '';
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  const addresses = await new Promise<Record<string, string>>((resolve, reject) => {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      const line = log.split('\n').find((one) => one.includes('"msg":"started"') && one.endsWith('}'));
      if (line !== undefined) resolve((JSON.parse(line) as { addresses: Record<string, string> }).addresses);
    });
    child.once('close', (status) => reject(new Error(`${name} ended with ${status}: ${log}`)));
  });
  return {
    process: child,
    addresses,
    log: () => log,
    async stop() {
      // Of a container the engine's client passes the signal on to its first process.
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      return exited;
    },
  };
}
