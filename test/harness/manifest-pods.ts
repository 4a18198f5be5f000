/**
 * Pods of rendered manifests as processes: what a kubelet would start, with the command, environment, mounts and probes of the manifest and
 * nothing besides. Each pod has an address of its own on loopback, where it listens on the ports that the manifest says; a mount is a folder,
 * whose path is written in place of the mount's wherever the pod is told of it.
 */

import type { ChildProcess } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { spawnOwned } from '@stream-infer/service-kit/owned-process';
import {
  type Container,
  isWorkload,
  type KubernetesObject,
  type PodSpec,
  toolsFolder,
  type Workload,
} from './chart.ts';
import { eventually } from './eventually.ts';
import { commandEntry, root, serviceEntry } from './programs.ts';

export type RunningPod = {
  readonly name: string;
  readonly address: string;
  /** All that it said. */
  log(): string;
  /** Resolves when its readiness probe is answered; rejects with its log where it ends before. */
  ready(): Promise<void>;
  /** Its exit status. */
  readonly ended: Promise<number | null>;
  /** SIGTERM, and SIGKILL after the grace period. */
  stop(): Promise<number | null>;
};

export type ManifestPodsOptions = {
  readonly objects: readonly KubernetesObject[];
  /** For the volumes. */
  readonly directory: string;
  /** Of the addresses: 127.`network`.0.x. */
  readonly network: number;
  /** Secret → key → value: what the operator had made. */
  readonly secrets?: Readonly<Record<string, Readonly<Record<string, string>>>>;
};

const FIRST_HOST = 10;
/** As long as a startup probe takes. */
const READY_LIMIT_MS = 120_000;

export class ManifestPods {
  readonly #options: ManifestPodsOptions;
  /** By workload, which a Service is named after. */
  readonly #addresses: ReadonlyMap<string, string>;
  /** Mount path → folder, of all pods: a pod may tell another of a path that is that one's. */
  readonly #mounts: ReadonlyMap<string, string>;
  readonly #running: RunningPod[] = [];

  constructor(options: ManifestPodsOptions) {
    this.#options = options;
    const workloads = options.objects.filter(isWorkload);
    this.#addresses = new Map(
      workloads.map(({ metadata }, at) => [metadata.name, `127.${options.network}.0.${FIRST_HOST + at}`]),
    );
    this.#mounts = new Map(workloads.flatMap((workload) => this.#mountsOf(workload)));
  }

  /** Starts one pod of the workload. */
  async start(workload: Workload): Promise<RunningPod> {
    const { name } = workload.metadata;
    const pod = workload.spec.template.spec;
    const [container] = pod.containers;
    const address = this.#addresses.get(name);
    if (container === undefined || address === undefined) throw new Error(`${name} is no workload of the release`);
    const placed = this.#placing(workload, address);
    for (const volume of volumesOf(workload)) await this.#fill(volume, this.#folderOf(name, volume.name), placed);
    const told = [...(container.command ?? []), ...(container.args ?? [])].map(placed);
    const [command = '', ...args] = [...entryPoint(container), ...told];
    const child = spawnOwned(command, args, {
      cwd: root,
      env: this.#environment(container, { name, address, placed }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const running = runningPod(name, address, child, pod);
    this.#running.push(running);
    return running;
  }

  /** What each said last. */
  logs(): string {
    return this.#running.map(({ name, log }) => `== ${name}\n${log().slice(-2_000)}`).join('\n');
  }

  /** Stops all that run, at once; their exit statuses. */
  stop(): Promise<readonly (number | null)[]> {
    return Promise.all(this.#running.map((pod) => pod.stop()));
  }

  #folderOf(workload: string, volume: string): string {
    return join(this.#options.directory, workload, volume);
  }

  #mountsOf({ metadata, spec }: Workload): [path: string, folder: string][] {
    const mounts = spec.template.spec.containers[0]?.volumeMounts ?? [];
    return mounts.map(({ name, mountPath }) => [mountPath, this.#folderOf(metadata.name, name)]);
  }

  /** Writes folders in the place of mounts, addresses in the place of names, and the pod's own in the place of everywhere. */
  #placing(workload: Workload, address: string): (text: string) => string {
    const places = new Map([...this.#mounts, ...this.#mountsOf(workload), ...this.#addresses, ['0.0.0.0', address]]);
    const longestFirst = [...places.keys()].sort((a, b) => b.length - a.length);
    const pattern = new RegExp(`(?<![\\w.-])(?:${longestFirst.map(escaped).join('|')})(?![\\w-])`, 'g');
    return (text) => text.replace(pattern, (found) => places.get(found) ?? found);
  }

  async #fill(volume: Volume, folder: string, placed: (text: string) => string): Promise<void> {
    await mkdir(folder, { recursive: true });
    for (const [key, text] of Object.entries(this.#contentOf(volume))) await writeFile(join(folder, key), placed(text));
  }

  #contentOf({ configMap, secret, projected }: Volume): Readonly<Record<string, string>> {
    const { objects, secrets = {} } = this.#options;
    const isIt = ({ kind, metadata }: KubernetesObject): boolean =>
      kind === 'ConfigMap' && metadata.name === configMap?.name;
    if (configMap) return objects.find(isIt)?.data ?? {};
    if (secret) return secrets[secret.secretName] ?? {};
    return Object.assign({}, ...(projected?.sources ?? []).map((source) => secrets[source.secret.name] ?? {}));
  }

  #environment(
    { env = [] }: Container,
    pod: { name: string; address: string; placed: (text: string) => string },
  ): NodeJS.ProcessEnv {
    const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
    const environment: NodeJS.ProcessEnv = { PATH, HOME, NODE_COMPILE_CACHE };
    for (const { name, value = '', valueFrom } of env) {
      const { fieldRef, secretKeyRef } = (valueFrom ?? {}) as ValueSource;
      if (fieldRef) environment[name] = fieldRef.fieldPath === 'status.podIP' ? pod.address : pod.name;
      else if (secretKeyRef) environment[name] = this.#options.secrets?.[secretKeyRef.name]?.[secretKeyRef.key];
      else
        environment[name] = pod.placed(value.replace(/\$\((\w+)\)/g, (_, other: string) => environment[other] ?? ''));
    }
    return environment;
  }
}

type Volume = {
  readonly name: string;
  readonly configMap?: { readonly name: string };
  readonly secret?: { readonly secretName: string };
  readonly projected?: { readonly sources: readonly { readonly secret: { readonly name: string } }[] };
};

type ValueSource = {
  readonly fieldRef?: { readonly fieldPath: string };
  readonly secretKeyRef?: { readonly name: string; readonly key: string };
};

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

const volumesOf = ({ spec }: Workload): readonly Volume[] => [
  ...spec.template.spec.volumes,
  ...(spec.volumeClaimTemplates ?? []).map(({ metadata }) => ({ name: metadata.name })),
];

/** What the entry point of its image is here (docs/images.md), unless the manifest says another. */
function entryPoint({ image, command = [] }: Container): readonly string[] {
  if (command.length > 0) return [];
  const service = /(?:^|\/)stream-infer-(ingest|scheduler|algo-runner|collector):/.exec(image)?.[1];
  if (service !== undefined) return [process.execPath, serviceEntry(service)];
  if (/(?:^|\/)stream-infer-tools:/.test(image)) return commandEntry();
  if (/(?:^|\/)nats:/.test(image)) return [join(toolsFolder, 'nats-server', 'nats-server')];
  throw new Error(`what ${image} would start is not known here`);
}

function runningPod(name: string, address: string, child: ChildProcess, pod: PodSpec): RunningPod {
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [container] = pod.containers;
  const probe = container?.readinessProbe?.httpGet;
  const port = container?.ports?.find((each) => each.name === probe?.port)?.containerPort;
  const graceMs = 1_000 * (pod.terminationGracePeriodSeconds ?? 30);
  return {
    name,
    address,
    log: () => said,
    ended,
    ready: () =>
      Promise.race([
        eventually(
          `${name} is ready`,
          async () => (await fetch(`http://${address}:${port}${probe?.path}`)).ok,
          READY_LIMIT_MS,
        ).then(() => undefined),
        ended.then((status): never => {
          throw new Error(`${name} ended with ${status}: ${said}`);
        }),
      ]),
    async stop() {
      const isRunning = child.exitCode === null && child.signalCode === null;
      if (isRunning) child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      const status = await ended;
      clearTimeout(timer);
      return status;
    },
  };
}
