/** A child process that is ours from start to end: it dies with us, what it said last is kept, and its stop is bounded in time. */

import type { ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { toFault } from '@stream-infer/core/fault';
import { spawnOwned } from '@stream-infer/service-kit/owned-process';
import type { Workspace } from './workspace.ts';

export type ProcessEnd = { readonly status: number | null; readonly signal: NodeJS.Signals | null };

export type ManagedProcess = {
  readonly name: string;
  /** Resolves when it is gone and everything that it said is read. */
  readonly ended: Promise<ProcessEnd>;
  /** The newest lines of its standard error, oldest first. */
  lastLines(): readonly string[];
  /** SIGTERM, then SIGKILL once the grace is over; resolves when it is gone. Idempotent. */
  stop(graceMs: number): Promise<void>;
  /** SIGKILL, now. */
  kill(): void;
};

export type ManagedProcessOptions = {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly workspace: Workspace;
  /** It gives way to other processes where cores are short. */
  readonly yields?: boolean;
  /** Called for each line of its standard error. */
  readonly onLine?: (line: string) => void;
  /** Called for each line of its standard output, which is discarded otherwise. */
  readonly onOutput?: (line: string) => void;
};

const KEPT_LINES = 20;
const YIELDING = constants.priority.PRIORITY_BELOW_NORMAL;

/** Its standard input is a pipe that this process holds open, so that it can tell when we are gone. Rejects where it cannot start. */
export async function startProcess(options: ManagedProcessOptions): Promise<ManagedProcess> {
  const { name, command, args, environment, workspace, onLine, onOutput } = options;
  const child = spawnOwned(command, args, {
    env: environment,
    stdio: ['pipe', onOutput ? 'pipe' : 'ignore', 'pipe'],
  });
  child.stdin?.on('error', () => undefined);
  const lines: string[] = [];
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once('close', (status, signal) => resolve({ status, signal }));
  });
  readLines(child.stderr, (line) => {
    lines.push(line);
    if (lines.length > KEPT_LINES) lines.shift();
    onLine?.(line);
  });
  if (onOutput) readLines(child.stdout, onOutput);
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(toFault(error, 'SERVICE_DIED', `${name} cannot be started`)));
  });
  workspace.watch(child);
  if (options.yields) await lowerPriority(child);
  return {
    name,
    ended,
    lastLines: () => lines,
    kill: () => void child.kill('SIGKILL'),
    async stop(graceMs) {
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      terminate(child);
      await ended;
      clearTimeout(timer);
    },
  };
}

/**
 * By the usual niceness, and by that of its session, which is what counts where Linux groups processes by session (autogroup). What a
 * system does not let us do is left.
 */
async function lowerPriority({ pid }: ChildProcess): Promise<void> {
  if (pid === undefined) return;
  try {
    setPriority(pid, YIELDING);
    await writeFile(`/proc/${pid}/autogroup`, String(YIELDING));
  } catch {
    // Only its speed differs.
  }
}

function terminate(child: ChildProcess): void {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
}

function readLines(stream: Readable | null, onLine: (line: string) => void): void {
  if (stream) createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', onLine);
}
