/** Three servers of the NATS that the chart has for trials, as a cluster on loopback: what production has. */

import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnOwned } from '@stream-infer/service-kit/owned-process';
import { toolsFolder } from './chart.ts';
import { freePorts } from './free-ports.ts';

export type NatsCluster = {
  /** Of all servers. */
  readonly url: string;
  /** Kills one of them. */
  kill(at: number): Promise<void>;
  stop(): Promise<void>;
};

export type NatsClusterOptions = {
  /** What stands in the configuration of each server. */
  readonly configuration?: string;
  /** Variables that it refers to. */
  readonly environment?: Readonly<Record<string, string>>;
};

const SERVERS = 3;

export async function startNatsCluster(options: NatsClusterOptions = {}): Promise<NatsCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'stream-infer-nats-cluster-'));
  const configuration = join(directory, 'nats.conf');
  await writeFile(configuration, options.configuration ?? '');
  const ports = await freePorts(2 * SERVERS);
  const clientPorts = ports.slice(0, SERVERS);
  const routePorts = ports.slice(SERVERS);
  const routes = routePorts.map((port) => `nats://127.0.0.1:${port}`).join(',');
  const servers = clientPorts.map((port, at) =>
    spawnOwned(
      join(toolsFolder, 'nats-server', 'nats-server'),
      [
        ...[
          '-c',
          configuration,
          '-n',
          `nats-${at}`,
          '-a',
          '127.0.0.1',
          '-p',
          String(port),
          '-js',
          '-sd',
          join(directory, String(at)),
        ],
        ...['--cluster_name', 'test', '--cluster', `nats://127.0.0.1:${routePorts[at]}`, '--routes', routes],
      ],
      { stdio: 'ignore', env: { ...process.env, ...options.environment } },
    ),
  );
  return {
    url: clientPorts.map((port) => `nats://127.0.0.1:${port}`).join(','),
    kill: (at) => killed(servers[at]),
    async stop() {
      await Promise.all(servers.map(killed));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function killed(server: ChildProcess | undefined): Promise<void> {
  if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
  const exited = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGKILL');
  await exited;
}
