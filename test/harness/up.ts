/** `stream-infer up` as a process, for as long as a test needs it. */

import type { ChildProcess } from 'node:child_process';
import type { StreamReport } from '@stream-infer/core/stream-report';
import { type CommandResult, streamInfer } from './command.ts';
import { eventually } from './eventually.ts';
import { descendants, type ProcessIdentity, stillRunning } from './process-tree.ts';

export type Up = {
  readonly apiUrl: string;
  readonly child: ChildProcess;
  /** What it has said on standard error so far. */
  told(): string;
  /** `stream-infer streams …` on it. */
  streams(...args: string[]): Promise<CommandResult>;
  /** SIGTERM; what it said and its exit status. */
  stop(): Promise<CommandResult>;
  /** SIGKILL to it and everything below it, and the wait until all are gone. */
  killAll(): Promise<void>;
};

const LIFE_LIMIT_MS = 300_000;

type UpOptions = {
  /** Its temporary files are there too: what is killed leaves them. */
  readonly cwd: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** After which it is killed. */
  readonly timeoutMs?: number;
};

/** Resolves when its API answers. */
export async function startUp(
  args: readonly string[],
  { timeoutMs = LIFE_LIMIT_MS, environment, ...options }: UpOptions,
): Promise<Up> {
  const started = Promise.withResolvers<ChildProcess>();
  const result = streamInfer(['up', '--http', '0', ...args], {
    ...options,
    environment: { TMPDIR: options.cwd, ...environment },
    timeoutMs,
    onStart: started.resolve,
  });
  result.catch(() => undefined);
  const child = await started.promise;
  let said = '';
  child.stdout?.on('data', (text: string) => {
    said += text;
  });
  let told = '';
  child.stderr?.on('data', (text: string) => {
    told += text;
  });
  const apiUrl = await Promise.race([
    eventually('the address of the API', () => /^the API is at (\S+)$/m.exec(said)?.[1]),
    result.then(({ status, stderr }): never => {
      throw new Error(`up ended with ${status}: ${stderr}`);
    }),
  ]).catch((error: unknown) => {
    child.kill('SIGTERM');
    throw error;
  });
  return {
    apiUrl,
    child,
    told: () => told,
    streams: (...more) =>
      streamInfer(['streams', ...more], { cwd: options.cwd, environment: { STREAM_INFER_API: apiUrl } }),
    stop() {
      child.kill('SIGTERM');
      return result;
    },
    async killAll() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const tree: readonly ProcessIdentity[] = await descendants(child.pid ?? 0);
      child.kill('SIGKILL');
      for (const { pid } of await stillRunning(tree)) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It went with its parent.
        }
      }
      await result.catch(() => undefined);
      await eventually('everything is gone', async () => (await stillRunning(tree)).length === 0);
    },
  };
}

export const streamOf = async ({ apiUrl }: Up, id: string): Promise<StreamReport> =>
  (await (await fetch(`${apiUrl}/v1/streams/${id}`)).json()) as StreamReport;

/** Waits until the stream has so many results in its newest run. */
export const withResults = (on: Up, id: string, least: number): Promise<StreamReport> =>
  eventually(`${least} results of ${id}`, async () => {
    const report = await streamOf(on, id);
    return report.results >= least && report;
  });
