/**
 * Pods as processes, as the API server has them, with the ConfigMaps and Secrets that stand there: what a kubelet and a container runtime make of them. What is mounted follows
 * its ConfigMap or Secret. A Service's name leads to the first pod of the StatefulSet of that name.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiObject, ApiPod, KubernetesApi } from './kubernetes-api.ts';
import type { KubernetesObject, Workload } from './kubernetes-object.ts';
import { ManifestPods } from './manifest-pods.ts';
import type { RunningPod } from './pod-process.ts';
import type { PodRuntime, PodState } from './pod-runtime.ts';

export type ProcessRuntime = PodRuntime & {
  /** The newest pod of a name, where it runs or ran. */
  find(name: string): RunningPod | undefined;
  /** How those ended that were stopped, by name. */
  ends(): ReadonlyMap<string, number | null>;
};

type Known = {
  readonly pod: ApiPod;
  state: PodState;
  /** Undefined where it did not start. */
  readonly started: Promise<RunningPod | undefined>;
  running?: RunningPod;
  isStopping: boolean;
  isGone: boolean;
};

/** As soon as a kubelet, and sooner. */
const REFRESH_MS = 1_000;

/** @param network of the addresses: 127.`network`.0.x. */
export async function processRuntime(api: KubernetesApi, network: number): Promise<ProcessRuntime> {
  const directory = await mkdtemp(join(tmpdir(), 'stream-infer-node-'));
  const runtime = new Processes(api, network, directory);
  return {
    state: (pod) => runtime.state(pod),
    isGone: (pod) => runtime.isGone(pod),
    find: (name) => runtime.find(name),
    ends: () => runtime.ends,
    async stop() {
      await runtime.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

class Processes {
  readonly ends = new Map<string, number | null>();
  readonly #api: KubernetesApi;
  readonly #network: number;
  readonly #directory: string;
  /** By uid. */
  readonly #known = new Map<string, Known>();
  readonly #addresses = new Map<string, string>();
  readonly #timer: NodeJS.Timeout;
  #refreshing: Promise<void> | undefined;

  constructor(api: KubernetesApi, network: number, directory: string) {
    this.#api = api;
    this.#network = network;
    this.#directory = directory;
    this.#timer = setInterval(() => {
      // What the API server does not answer now it does the next time.
      this.#refreshing ??= this.#refresh()
        .catch(() => undefined)
        .finally(() => {
          this.#refreshing = undefined;
        });
    }, REFRESH_MS);
  }

  state(pod: ApiPod): PodState {
    const known = this.#known.get(pod.metadata.uid) ?? this.#begin(pod);
    return known.state;
  }

  isGone(pod: ApiPod): boolean {
    const known = this.#known.get(pod.metadata.uid);
    if (known === undefined) return true;
    if (!known.isStopping) {
      known.isStopping = true;
      void this.#end(known);
    }
    return known.isGone;
  }

  find(name: string): RunningPod | undefined {
    return [...this.#known.values()].findLast(({ pod }) => pod.metadata.name === name)?.running;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#refreshing;
    await Promise.all([...this.#known.values()].map(async ({ started }) => (await started)?.stop()));
  }

  #begin(pod: ApiPod): Known {
    const started = this.#start(pod).catch((error: unknown) => {
      console.error(`${pod.metadata.name} does not start:`, error);
      return undefined;
    });
    const known: Known = { pod, state: { kind: 'starting' }, started, isStopping: false, isGone: false };
    this.#known.set(pod.metadata.uid, known);
    void this.#follow(known);
    return known;
  }

  async #start(pod: ApiPod): Promise<RunningPod> {
    return (await this.#pods(pod)).start(workloadOf(pod));
  }

  async #follow(known: Known): Promise<void> {
    const running = await known.started;
    if (running === undefined) {
      known.state = { kind: 'ended', exitStatus: 1 };
      return;
    }
    known.running = running;
    known.state = { kind: 'running' };
    void running.ended.then((status) => {
      known.state = { kind: 'ended', exitStatus: status ?? 137 };
    });
    if (known.pod.spec.restartPolicy !== 'Always') return;
    await running.ready().then(
      () => {
        known.state = { kind: 'ready' };
      },
      // That it has ended is told, or goes on to be that it is not ready.
      () => undefined,
    );
  }

  async #end(known: Known): Promise<void> {
    const status = await (await known.started)?.stop();
    if (status !== undefined) this.ends.set(known.pod.metadata.name, status);
    known.isGone = true;
  }

  /** What is mounted is what stands in the API server now. */
  async #refresh(): Promise<void> {
    for (const { pod, running, isStopping } of this.#known.values())
      if (running && !isStopping) await (await this.#pods(pod)).mount(workloadOf(pod));
  }

  async #pods(pod: ApiPod): Promise<ManifestPods> {
    const { name, namespace = '' } = pod.metadata;
    const [configMaps = [], secrets = [], services = []] = await Promise.all(
      ['configmaps', 'secrets', 'services'].map((kind) => this.#api.list(`/api/v1/namespaces/${namespace}/${kind}`)),
    );
    const addresses = services.map(({ metadata }) => [metadata.name, this.#addressOf(`${metadata.name}-0`)] as const);
    return new ManifestPods({
      objects: [workloadOf(pod), ...configMaps.map(configMapOf)],
      directory: join(this.#directory, namespace),
      network: this.#network,
      addresses: new Map([...addresses, [name, this.#addressOf(name)]]),
      secrets: Object.fromEntries(secrets.map(({ metadata, data }) => [metadata.name, decoded(data)])),
    });
  }

  #addressOf(pod: string): string {
    const address = this.#addresses.get(pod) ?? `127.${this.#network}.0.${10 + this.#addresses.size}`;
    this.#addresses.set(pod, address);
    return address;
  }
}

const workloadOf = ({ metadata, spec }: ApiPod): Workload => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: metadata.name },
  spec: { template: { metadata: { labels: { ...metadata.labels } }, spec } },
});

const configMapOf = ({ metadata, data = {} }: ApiObject): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: metadata.name },
  data: { ...data },
});

const decoded = (data: Readonly<Record<string, string>> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
