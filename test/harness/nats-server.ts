/** A real nats-server on a free port of loopback with a store of its own, for one test file. */

import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnOwned } from '@stream-infer/service-kit/owned-process';

export type TestNatsServer = {
  readonly url: string;
  readonly pid: number;
  /** Of its profiler; undefined unless it is `profiled`. */
  readonly profilerUrl: string | undefined;
  stop(): Promise<void>;
};

export type TestNatsServerOptions = {
  /** Where it keeps what is to survive it; a folder of its own unless given. */
  readonly store?: string;
  /** A free one unless given. */
  readonly port?: number;
  /** What stands in its configuration besides. */
  readonly configuration?: string;
  /** With Go's profiler on a port of its own. */
  readonly profiled?: boolean;
  /** Variables that it refers to. */
  readonly environment?: Readonly<Record<string, string>>;
  /** A command and its arguments that the server's are put behind, such as one that enters a network. */
  readonly through?: readonly string[];
};

export async function startNatsServer(options: TestNatsServerOptions = {}): Promise<TestNatsServer> {
  const directory = await mkdtemp(join(tmpdir(), 'stream-infer-test-nats-'));
  const [program, ...before] = [...(options.through ?? []), 'nats-server'] as const;
  const server = spawnOwned(
    program,
    [
      ...before,
      '-a',
      '127.0.0.1',
      '-p',
      String(options.port ?? -1),
      '-js',
      '-sd',
      options.store ?? directory,
      '--ports_file_dir',
      directory,
      '-c',
      await config(directory, `${options.profiled ? 'prof_port: -1\n' : ''}${options.configuration ?? ''}`),
    ],
    { stdio: 'ignore', env: { ...process.env, ...options.environment } },
  );
  const { nats, profile } = await ports(directory, server);
  return {
    url: nats[0] ?? '',
    pid: server.pid ?? 0,
    profilerUrl: profile?.[0],
    async stop() {
      if (server.exitCode === null && server.signalCode === null) {
        const exited = new Promise((resolve) => server.once('exit', resolve));
        server.kill('SIGKILL');
        await exited;
      }
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function config(directory: string, more: string): Promise<string> {
  const path = join(directory, 'nats.conf');
  await writeFile(path, `max_payload: 16MB\nmax_pending: 128MB\n${more}`);
  return path;
}

/** URLs that it listens on, as it names them. */
type Ports = { readonly nats: readonly string[]; readonly profile?: readonly string[] };

async function ports(directory: string, server: ChildProcess): Promise<Ports> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (server.exitCode !== null) throw new Error(`nats-server ended with ${server.exitCode}`);
    const file = (await readdir(directory)).find((name) => name.endsWith('.ports'));
    if (file) {
      const text = await readFile(join(directory, file), 'utf8');
      if (text.trim() !== '') return JSON.parse(text) as Ports;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('nats-server did not say its port');
}
