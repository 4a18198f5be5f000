/** Runs ./stream-infer as a person would, and tells what it said and how it ended. */

import type { ChildProcess } from 'node:child_process';
import { spawnOwned } from '@stream-infer/service-kit/owned-process';
import { commandEntry, root } from './programs.ts';

export type CommandResult = {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

export type CommandOptions = {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** After this long the command is killed and the promise rejects with what it had said. */
  readonly timeoutMs?: number;
  /** Called with the child as soon as it runs. */
  readonly onStart?: (child: ChildProcess) => void;
};

export function streamInfer(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const { cwd = root, environment = {}, timeoutMs = 90_000, onStart } = options;
  return new Promise((resolve, reject) => {
    const [command, ...first] = commandEntry();
    const child = spawnOwned(command, [...first, ...args], {
      cwd,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`stream-infer ${args.join(' ')} still ran after ${timeoutMs} ms\n${stderr}`));
    }, timeoutMs);
    child.once('error', reject);
    child.once('close', (status) => {
      clearTimeout(timer);
      resolve({ status, stdout, stderr });
    });
    onStart?.(child);
  });
}
