/**
 * The engine that runs the images under test, and the images by name. IMAGES_ENGINE names one, else it is the first of docker and podman that
 * answers; IMAGES_PREFIX and IMAGES_TAG are those of `make images`; IMAGES_RUN_FLAGS are more arguments for each container.
 */

import { execFile, execFileSync, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import packageJson from '../../package.json' with { type: 'json' };
import { type ServiceName, type ServiceProcess, untilStarted } from '../harness/service-process.ts';

const ENGINES = ['docker', 'podman'];

const answers = (engine: string): boolean => {
  try {
    execFileSync(engine, ['info'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

const found = process.env.IMAGES_ENGINE ?? ENGINES.find(answers);
if (found === undefined) throw new Error(`the tests of images need ${ENGINES.join(' or ')}`);
export const engine = found;

const { IMAGES_PREFIX = '', IMAGES_TAG = packageJson.version, IMAGES_RUN_FLAGS = '' } = process.env;

export const imageName = (target: string, variant = ''): string =>
  `${IMAGES_PREFIX}stream-infer-${target}:${IMAGES_TAG}${variant}`;

/** As a hardened cluster runs them: nothing to write to, no capability, no way to another user. */
const HARDENED = [
  ...['run', '--rm', '--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
  ...IMAGES_RUN_FLAGS.split(' ').filter((flag) => flag !== ''),
];

export type ContainerOptions = {
  readonly environment?: Readonly<Record<string, string>>;
  /** Folder of this machine → where the container sees it; to read only. */
  readonly mounts?: Readonly<Record<string, string>>;
  /** Where it may write beside /tmp: volumes that are its own, owned as the folders of the image are, and gone with it. */
  readonly writable?: readonly string[];
  /** Instead of the image's own. */
  readonly entrypoint?: string;
  readonly user?: string;
  /** As the engine names networks; this machine's own unless given. */
  readonly network?: string;
  readonly limits?: Limits;
};

/** What a container may take at most. */
export type Limits = {
  readonly memoryBytes: number;
  readonly processes: number;
};

const containerArguments = (options: ContainerOptions): readonly string[] => [
  ...HARDENED,
  ...Object.entries(options.environment ?? {}).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
  ...Object.entries(options.mounts ?? {}).flatMap(([from, to]) => ['--volume', `${from}:${to}:ro`]),
  ...['--tmpfs', '/tmp:rw,mode=1777'],
  ...(options.writable ?? []).flatMap((path) => ['--volume', path]),
  ...(options.entrypoint === undefined ? [] : ['--entrypoint', options.entrypoint]),
  ...(options.user === undefined ? [] : ['--user', options.user]),
  ...['--network', options.network ?? 'host'],
  ...(options.limits === undefined ? [] : limitArguments(options.limits)),
];

/** Swap is none of a container's in a cluster. */
const limitArguments = ({ memoryBytes, processes }: Limits): readonly string[] => [
  ...['--memory', String(memoryBytes), '--memory-swap', String(memoryBytes), '--pids-limit', String(processes)],
];

export type ContainerEnd = { readonly status: number; readonly stdout: string; readonly stderr: string };

/** Runs a container to its end. */
export function runContainer(
  image: string,
  args: readonly string[],
  options: ContainerOptions = {},
): Promise<ContainerEnd> {
  const command = [...containerArguments(options), image, ...args];
  return new Promise((resolve) => {
    execFile(engine, command, { maxBuffer: 64 * 2 ** 20 }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ status, stdout, stderr });
    });
  });
}

/** Standard output of a script of sh in the image; rejects where it fails. */
export async function inImage(image: string, script: string, options: ContainerOptions = {}): Promise<string> {
  const { status, stdout, stderr } = await runContainer(image, ['-c', script], { ...options, entrypoint: '/bin/sh' });
  if (status !== 0) throw new Error(`${image}: ${script} ended with ${status}: ${stderr}`);
  return stdout;
}

/** A container that does nothing until it is removed. */
export function idleContainer(options: ContainerOptions): { readonly name: string; remove(): void } {
  const [command = '', ...args] = containerArguments({ ...options, entrypoint: 'sleep' });
  const created = [command, '--detach', ...args, imageName('tools'), 'infinity'];
  const name = execFileSync(engine, created, { encoding: 'utf8' }).trim();
  return {
    name,
    remove: () => void execFileSync(engine, ['rm', '--force', name], { stdio: 'ignore' }),
  };
}

export type ImageFacts = {
  readonly size: number;
  readonly user: string;
  readonly stopSignal: string;
  readonly entrypoint: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
};

/** Undefined where there is no such image. */
export function inspectImage(image: string): ImageFacts | undefined {
  let text: string;
  try {
    text = execFileSync(engine, ['image', 'inspect', image], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return undefined;
  }
  const [{ Size, Config }] = JSON.parse(text) as [
    {
      Size: number;
      Config: { User: string; StopSignal: string; Entrypoint: string[]; Labels: Record<string, string> };
    },
  ];
  return {
    size: Size,
    user: Config.User,
    stopSignal: Config.StopSignal,
    entrypoint: Config.Entrypoint,
    labels: Config.Labels,
  };
}

/** A service in its container, on free ports of this machine's loopback. Resolves when it has logged that it started. */
export function startContainer(
  name: ServiceName,
  { environment = {}, ...options }: ContainerOptions,
  image = imageName(name),
): Promise<ServiceProcess> {
  const loopback = '127.0.0.1';
  const free = {
    ...{ HTTP_HOST: loopback, HTTP_PORT: '0', GRPC_HOST: loopback, GRPC_PORT: '0', API_HOST: loopback, API_PORT: '0' },
    ...{ LOG_FORMAT: 'json', ...environment },
  };
  const child = spawn(engine, [...containerArguments({ ...options, environment: free }), image], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // Where podman's monitor notes that a container ran out of memory.
    cwd: tmpdir(),
  });
  return untilStarted(image, child);
}
