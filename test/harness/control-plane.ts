/**
 * The control plane of Kubernetes on loopback, from scripts/k8s-tools.sh: etcd, API server, controllers and scheduler, as a cluster has them. It has no node: see
 * cluster-nodes.ts.
 */

import { type ChildProcess, execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { spawnOwned } from '@stream-infer/service-kit/owned-process';
import { certificateAuthority } from './certificates.ts';
import { eventually } from './eventually.ts';
import { freePorts } from './free-ports.ts';
import { KubernetesApi } from './kubernetes-api.ts';
import { root } from './programs.ts';

const run = promisify(execFile);
const TOKEN = 'administrator-of-a-test';
const START_LIMIT_MS = 180_000;

export type ControlPlane = {
  readonly api: KubernetesApi;
  /** Path of the file that Helm and kubectl take. */
  readonly kubeconfig: string;
  /** What each server said last. */
  logs(): string;
  stop(): Promise<void>;
};

export async function startControlPlane(): Promise<ControlPlane> {
  const directory = await mkdtemp(join(tmpdir(), 'stream-infer-kubernetes-'));
  const file = (name: string): string => join(directory, name);
  const authority = await certificateAuthority();
  const { cert, key } = await authority.issue('localhost', 'kubernetes.default.svc');
  await run('openssl', [
    'genpkey',
    '-algorithm',
    'RSA',
    '-pkeyopt',
    'rsa_keygen_bits:2048',
    '-out',
    file('accounts.key'),
  ]);
  await run('openssl', ['pkey', '-in', file('accounts.key'), '-pubout', '-out', file('accounts.pub')]);
  await writeFile(file('tokens.csv'), `${TOKEN},administrator,administrator,system:masters\n`);
  const [clients = 0, peers = 0, port = 0] = await freePorts(3);
  const url = `https://localhost:${port}`;
  await writeFile(file('kubeconfig'), kubeconfig(url, authority.ca));

  const servers = new Map<string, { child: ChildProcess; said: string }>();
  const start = (name: string, options: Readonly<Record<string, string | number | boolean>>): void => {
    const args = Object.entries(options).map(([option, value]) => `--${option}=${value}`);
    const child = spawnOwned(join(root, '.tools', 'k8s', name), args, {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const server = { child, said: '' };
    servers.set(name, server);
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        server.said = `${server.said}${text}`.slice(-20_000);
      });
  };
  const logs = (): string => [...servers].map(([name, { said }]) => `== ${name}\n${said.slice(-1_500)}`).join('\n');

  start('etcd', {
    name: 'test',
    'data-dir': file('etcd'),
    'listen-client-urls': `http://127.0.0.1:${clients}`,
    'advertise-client-urls': `http://127.0.0.1:${clients}`,
    'listen-peer-urls': `http://127.0.0.1:${peers}`,
    'initial-advertise-peer-urls': `http://127.0.0.1:${peers}`,
    'initial-cluster': `test=http://127.0.0.1:${peers}`,
    'unsafe-no-fsync': true,
    'log-level': 'warn',
  });
  start('kube-apiserver', {
    'etcd-servers': `http://127.0.0.1:${clients}`,
    'bind-address': '127.0.0.1',
    'secure-port': port,
    'endpoint-reconciler-type': 'none',
    'tls-cert-file': cert,
    'tls-private-key-file': key,
    'authorization-mode': 'RBAC',
    'token-auth-file': file('tokens.csv'),
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-key-file': file('accounts.pub'),
    'service-account-signing-key-file': file('accounts.key'),
    'service-cluster-ip-range': '10.96.0.0/16',
  });
  const api = new KubernetesApi(url, TOKEN, await readFile(authority.ca, 'utf8'));
  const running = {
    kubeconfig: file('kubeconfig'),
    'authentication-kubeconfig': file('kubeconfig'),
    'authorization-kubeconfig': file('kubeconfig'),
    'authentication-skip-lookup': true,
    'leader-elect': false,
  };
  const [controllers = 0, scheduler = 0] = await freePorts(2);
  const plane: ControlPlane = {
    api,
    kubeconfig: file('kubeconfig'),
    logs,
    async stop() {
      // The servers in the order in which none misses another.
      for (const { child } of [...servers.values()].reverse()) await ended(child);
      await authority.remove();
      await rm(directory, { recursive: true, force: true });
    },
  };
  try {
    await eventually('the API server is ready', () => api.get<string>('/readyz'), START_LIMIT_MS);
    start('kube-controller-manager', {
      ...running,
      'bind-address': '127.0.0.1',
      'secure-port': controllers,
      'service-account-private-key-file': file('accounts.key'),
      'root-ca-file': authority.ca,
      'use-service-account-credentials': true,
    });
    start('kube-scheduler', { ...running, 'bind-address': '127.0.0.1', 'secure-port': scheduler });
    await eventually(
      'namespaces have an account',
      () => api.get('/api/v1/namespaces/default/serviceaccounts/default'),
      START_LIMIT_MS,
    );
  } catch (error) {
    const said = logs();
    await plane.stop();
    throw new Error(`Kubernetes does not start:\n${said}`, { cause: error });
  }
  return plane;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exited;
}

/** JSON, which is YAML. */
const kubeconfig = (server: string, ca: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority': ca } }],
    users: [{ name: 'administrator', user: { token: TOKEN } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'administrator' } }],
    'current-context': 'test',
  });
