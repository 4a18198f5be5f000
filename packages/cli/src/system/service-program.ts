/** Runs a program of a service to its end and takes its answer: services are not imported, so that none pulls in another. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Fault } from '@stream-infer/core/fault';
import { parseLogLine } from './log-line.ts';

export type ServiceName = 'ingest' | 'scheduler' | 'algo-runner' | 'collector';

/** A source file of a service, compiled or not as this one is. */
export const servicePath = (service: ServiceName, file: string): string =>
  fileURLToPath(new URL(`../../../../services/${service}/src/${file}${import.meta.url.slice(-3)}`, import.meta.url));

const MOST_BYTES = 16 * 2 ** 20;

/** What it printed. Throws the fault that it logged, or SERVICE_DIED. @param limitMs after which it is ended; 0 never. */
export function runServiceProgram(
  service: ServiceName,
  file: string,
  args: readonly string[],
  limitMs = 0,
): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [servicePath(service, file), ...args],
      { maxBuffer: MOST_BYTES, timeout: limitMs, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => {
        if (!error) return resolve(stdout);
        const lines = stderr.trim().split('\n');
        const fatal = lines.map(parseLogLine).findLast((line) => line?.level === 'fatal');
        const { code = 'SERVICE_DIED', message = `${file} of ${service} failed: ${lines.at(-1) ?? ''}` } = fatal ?? {};
        reject(new Fault(code, message, { cause: error }));
      },
    );
  });
}

/**
 * How Node.js is to collect garbage in a service. Frames pass through as memory outside of the heap, and by default each few of them
 * start a full collection on threads that take the cores from inference (docs/adr/0003-inference-gets-the-cores.md). What is young in each
 * thread's heap takes 8 MiB at most, for by default it comes to 32, step by step, over the first hour.
 */
export const SERVICE_NODE_FLAGS = [
  '--single-threaded-gc',
  '--heap-growing-percent=150',
  '--max-semi-space-size=4',
] as const;
