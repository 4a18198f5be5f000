/** The runner of examples/python-runner as a process, in a virtual environment that is made for one test file. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, credentials } from '@grpc/grpc-js';
import { spawnOwned } from '@stream-infer/service-kit/owned-process';
import { root } from './programs.ts';

const example = join(root, 'examples', 'python-runner');
const PROTOS = ['algo_runner', 'invocation', 'result', 'window', 'frame'];
const SET_UP_LIMIT_MS = 150_000;

export type PythonRunner = {
  readonly id: string;
  /** host:port of its gRPC server. */
  readonly address: string;
  /** Sends SIGTERM; resolves with its exit status and what it wrote to standard error. */
  stop(): Promise<{ readonly status: number | null; readonly stderr: string }>;
};

export type PythonWorkshop = {
  /** @param module of algorithms. */
  start(module: string, ...flags: string[]): Promise<PythonRunner>;
  /** Ends what still runs, and removes all that was made. */
  close(): Promise<void>;
};

const run = promisify(execFile);

/** The packages and the generated stubs; a text where this machine cannot have them, which says why. */
export async function pythonWorkshop(): Promise<PythonWorkshop | string> {
  const directory = await mkdtemp(join(tmpdir(), 'stream-infer-python-'));
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  const python = join(directory, 'venv', 'bin', 'python');
  try {
    await run('python3', ['-m', 'venv', join(directory, 'venv')], { timeout: SET_UP_LIMIT_MS });
  } catch (error) {
    await remove();
    return `there is no python3 with venv: ${reasonOf(error)}`;
  }
  try {
    const requirements = join(example, 'requirements.txt');
    await run(
      python,
      [
        '-m',
        'pip',
        'install',
        '--quiet',
        '--no-compile',
        '--only-binary',
        ':all:',
        '--retries',
        '2',
        '--timeout',
        '30',
        '--requirement',
        requirements,
      ],
      { timeout: SET_UP_LIMIT_MS },
    );
  } catch (error) {
    await remove();
    return `PyPI does not hand out the packages: ${reasonOf(error)}`;
  }
  const protos = PROTOS.map((name) => `stream_infer/v1/${name}.proto`);
  const outputs = [`--python_out=${directory}`, `--grpc_python_out=${directory}`];
  await run(python, ['-m', 'grpc_tools.protoc', '-I', join(root, 'proto'), ...outputs, ...protos]);

  const started: PythonRunner[] = [];
  return {
    async start(module, ...flags) {
      const runner = await startRunner(python, directory, [module, ...flags]);
      started.push(runner);
      return runner;
    },
    async close() {
      for (const runner of started) await runner.stop();
      await remove();
    },
  };
}

/** The line that pip calls an error, else the first. */
function reasonOf(error: unknown): string {
  const lines = String((error as { stderr?: string }).stderr || error)
    .trim()
    .split('\n');
  return lines.find((line) => line.startsWith('ERROR:')) ?? lines[0] ?? '';
}

async function startRunner(python: string, stubs: string, args: readonly string[]): Promise<PythonRunner> {
  const child = spawnOwned(python, [join(example, 'runner.py'), ...args], {
    env: { ...process.env, PYTHONPATH: stubs, PYTHONPYCACHEPREFIX: join(stubs, 'cache') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [id = '', address = ''] = await new Promise<string[]>((resolve, reject) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      const said = /^(\S+) serves .* at (\S+)$/m.exec(stdout);
      if (said) resolve(said.slice(1));
    });
    child.once('close', (status) => reject(new Error(`the Python runner ended with ${status}: ${stderr}`)));
  });
  return {
    id,
    address,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      return { status: await ended, stderr };
    },
  };
}

/** Of grpc.health.v1.Health/Check, in bytes: a field of text there, a field of a number back. */
export function health(address: string, service: string): Promise<Buffer> {
  const client = new Client(address, credentials.createInsecure());
  const asIs = (bytes: Buffer): Buffer => bytes;
  const text = Buffer.from(service);
  const request = text.length === 0 ? text : Buffer.concat([Buffer.from([10, text.length]), text]);
  return new Promise<Buffer>((resolve, reject) => {
    client.makeUnaryRequest('/grpc.health.v1.Health/Check', asIs, asIs, request, (error, answer) => {
      if (error) reject(error);
      else resolve(answer as Buffer);
    });
  }).finally(() => client.close());
}
