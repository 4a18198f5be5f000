/**
 * Pods of rendered manifests as processes: what a kubelet would start, init containers first, with the command, environment, mounts and probes of the manifest and
 * nothing besides. Each pod has an address of its own on loopback, where it listens on the ports that the manifest says; a mount is a folder,
 * whose path is written in place of the mount's wherever the pod is told of it.
 */

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { spawnOwned } from '@stream-infer/service-kit/owned-process';
import { toolsFolder } from './chart.ts';
import { type Container, type KubernetesObject, type Workload, workloadsOf } from './kubernetes-object.ts';
import { logOf, type RunningPod, runningPod } from './pod-process.ts';
import { commandEntry, root, serviceEntry } from './programs.ts';

export type ManifestPodsOptions = {
  readonly objects: readonly KubernetesObject[];
  /** For the volumes. */
  readonly directory: string;
  /** Of the addresses: 127.`network`.0.x. */
  readonly network: number;
  /** Of pods and of Services by name, where they are not to be chosen here. */
  readonly addresses?: ReadonlyMap<string, string>;
  /** Secret → key → value: what the operator had made. */
  readonly secrets?: Readonly<Record<string, Readonly<Record<string, string>>>>;
};

const FIRST_HOST = 10;

export class ManifestPods {
  readonly #options: ManifestPodsOptions;
  /** By workload, which a Service is named after. */
  readonly #addresses: ReadonlyMap<string, string>;
  /** Mount path → folder, of all pods: a pod may tell another of a path that is that one's. */
  readonly #mounts: ReadonlyMap<string, string>;
  readonly #running: RunningPod[] = [];

  constructor(options: ManifestPodsOptions) {
    this.#options = options;
    const workloads = workloadsOf(options.objects);
    this.#addresses =
      options.addresses ??
      new Map(workloads.map(({ metadata }, at) => [metadata.name, `127.${options.network}.0.${FIRST_HOST + at}`]));
    this.#mounts = new Map(workloads.flatMap((workload) => this.#mountsOf(workload)));
  }

  /** Starts one pod of the workload, once its init containers have succeeded. */
  async start(workload: Workload): Promise<RunningPod> {
    const { name } = workload.metadata;
    const { initContainers = [], containers } = workload.spec.template.spec;
    const [container] = containers;
    const address = this.#addresses.get(name);
    if (container === undefined || address === undefined) throw new Error(`${name} is no workload of the release`);
    const pod = { name, address, placed: this.#placing(workload, address) };
    await this.mount(workload);
    for (const first of initContainers) {
      const child = this.#spawn(first, pod);
      const said = logOf(child);
      const [status] = await once(child, 'close');
      if (status !== 0) throw new Error(`${first.name} of ${name} ended with ${status}: ${said()}`);
    }
    const running = runningPod(name, address, this.#spawn(container, pod), workload.spec.template.spec);
    this.#running.push(running);
    return running;
  }

  /** Writes what its volumes hold where it is not what is there. */
  async mount(workload: Workload): Promise<void> {
    const { name } = workload.metadata;
    const placed = this.#placing(workload, this.#addresses.get(name) ?? '');
    for (const volume of volumesOf(workload)) await this.#fill(volume, this.#folderOf(name, volume.name), placed);
  }

  /** The folder in which the pods of a workload have what is mounted there. */
  folder(workload: Workload, mountPath: string): string {
    const found = this.#mountsOf(workload).find(([path]) => path === mountPath);
    if (found === undefined) throw new Error(`${workload.metadata.name} mounts nothing at ${mountPath}`);
    return found[1];
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

  #spawn(container: Container, pod: Pod): ChildProcess {
    const told = [...(container.command ?? []), ...(container.args ?? [])].map(pod.placed);
    const [command = '', ...args] = [...entryPoint(container), ...told];
    return spawnOwned(command, args, {
      cwd: root,
      env: this.#environment(container, pod),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  #mountsOf({ metadata, spec }: Workload): [path: string, folder: string][] {
    const { initContainers = [], containers } = spec.template.spec;
    const mounts = [...initContainers, ...containers].flatMap(({ volumeMounts }) => volumeMounts);
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
    for (const [key, text] of Object.entries(this.#contentOf(volume))) {
      const [file, content] = [join(folder, key), placed(text)];
      const standing = await readFile(file, 'utf8').catch(() => undefined);
      if (standing !== content) await writeFile(file, content);
    }
  }

  #contentOf({ configMap, secret, projected }: Volume): Content {
    if (configMap) return chosen(this.#configMap(configMap.name), configMap.items);
    if (secret) return chosen(this.#secret(secret.secretName), secret.items);
    const sources = (projected?.sources ?? []).map(({ secret: { name, optional, items } }) =>
      chosen(this.#secret(name, optional), items),
    );
    return Object.assign({}, ...sources);
  }

  #configMap(name: string): Content {
    const found = this.#options.objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === name);
    if (found === undefined) throw new Error(`there is no ConfigMap ${name}`);
    return found.data ?? {};
  }

  #secret(name: string, optional = false): Content {
    const found = this.#options.secrets?.[name];
    if (found === undefined && !optional) throw new Error(`there is no Secret ${name}`);
    return found ?? {};
  }

  #environment({ env = [], envFrom = [] }: Container, pod: Pod): NodeJS.ProcessEnv {
    const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
    const environment: NodeJS.ProcessEnv = { PATH, HOME, NODE_COMPILE_CACHE };
    for (const { prefix = '', secretRef, configMapRef } of envFrom) {
      const content = secretRef ? this.#secret(secretRef.name) : this.#configMap(configMapRef?.name ?? '');
      for (const [key, value] of Object.entries(content)) environment[`${prefix}${key}`] = value;
    }
    for (const { name, value = '', valueFrom } of env) {
      const { fieldRef, secretKeyRef } = (valueFrom ?? {}) as ValueSource;
      if (fieldRef) environment[name] = fieldRef.fieldPath === 'status.podIP' ? pod.address : pod.name;
      else if (secretKeyRef) environment[name] = this.#secret(secretKeyRef.name)[secretKeyRef.key];
      else
        environment[name] = pod.placed(value.replace(/\$\((\w+)\)/g, (_, other: string) => environment[other] ?? ''));
    }
    return environment;
  }
}

type Pod = { readonly name: string; readonly address: string; readonly placed: (text: string) => string };

/** By key, or by path in a volume. */
type Content = Readonly<Record<string, string>>;
type Items = readonly { readonly key: string; readonly path: string }[];

type Volume = {
  readonly name: string;
  readonly configMap?: { readonly name: string; readonly items?: Items };
  readonly secret?: { readonly secretName: string; readonly items?: Items };
  readonly projected?: {
    readonly sources: readonly {
      readonly secret: { readonly name: string; readonly optional?: boolean; readonly items?: Items };
    }[];
  };
};

/** All of it, or the keys that are named. Throws where there is none of a name. */
function chosen(content: Content, items: Items | undefined): Content {
  if (items === undefined) return content;
  return Object.fromEntries(
    items.map(({ key, path }) => {
      const value = content[key];
      if (value === undefined) throw new Error(`there is no key ${key}: there are ${Object.keys(content).join(', ')}`);
      return [path, value];
    }),
  );
}

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
