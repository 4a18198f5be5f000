/**
 * What a cluster has beside its control plane: nodes that tell of themselves and of their pods, and volumes of a storage class. A kubelet's part is played here: what becomes of a
 * pod that the scheduler has bound says the runtime. Volumes are pretended, but for their being bound.
 */

import { type ApiObject, type ApiPod, type KubernetesApi, KubernetesApiError } from './kubernetes-api.ts';
import type { Container, PodSpec } from './kubernetes-object.ts';
import type { PodRuntime, PodState } from './pod-runtime.ts';

export type ClusterNodes = { stop(): Promise<void> };

export type ClusterNodesOptions = {
  readonly names: readonly string[];
  readonly runtime: PodRuntime;
  /** Whose volumes are provided for a claim's first pod; the first is the default. */
  readonly storageClasses: readonly string[];
  /** Whose volumes are provided without one. */
  readonly sharedClass: string;
};

const PROVISIONER = 'stream-infer.test/pretended';
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
const POLL_MS = 100;
/** Well within the 40 s after which a node is taken for lost. */
const BEAT_MS = 5_000;
const CAPACITY = { cpu: '64', memory: '256Gi', pods: '500', 'ephemeral-storage': '500Gi', 'nvidia.com/gpu': '8' };

export async function startNodes(api: KubernetesApi, options: ClusterNodesOptions): Promise<ClusterNodes> {
  const nodes = new Nodes(api, options.runtime);
  const classes = [
    ...options.storageClasses.map((name, at) => storageClass(name, 'WaitForFirstConsumer', at === 0)),
    storageClass(options.sharedClass, 'Immediate', false),
  ];
  for (const each of classes) await api.create('/apis/storage.k8s.io/v1/storageclasses', each);
  for (const name of options.names) await nodes.add(name);
  return nodes.run();
}

class Nodes {
  readonly #api: KubernetesApi;
  readonly #names: string[] = [];
  readonly #runtime: PodRuntime;
  /** By uid, of pods that were told of. */
  readonly #told = new Map<string, Told>();
  #beatAt = performance.now();
  #isStopped = false;

  constructor(api: KubernetesApi, runtime: PodRuntime) {
    this.#api = api;
    this.#runtime = runtime;
  }

  async add(name: string): Promise<void> {
    this.#names.push(name);
    const labels = {
      'kubernetes.io/hostname': name,
      'topology.kubernetes.io/zone': name,
      'nvidia.com/gpu.present': 'true',
    };
    await this.#api.create('/api/v1/nodes', { metadata: { name, labels } });
    await this.#api.patch(`/api/v1/nodes/${name}/status`, {
      status: { capacity: CAPACITY, allocatable: CAPACITY, conditions: [condition('Ready', true)] },
    });
    await this.#api.create(LEASES, {
      metadata: { name },
      spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime: microTime() },
    });
  }

  /** Goes on until it is stopped; what it fails by is told when it fails, and when it is stopped. */
  run(): ClusterNodes {
    const ended = this.#loop();
    ended.catch((error: unknown) => console.error('the nodes are gone:', error));
    return {
      stop: () => {
        this.#isStopped = true;
        return ended;
      },
    };
  }

  async #loop(): Promise<void> {
    while (!this.#isStopped) {
      if (performance.now() - this.#beatAt > BEAT_MS) await this.#beat();
      for (const pod of await this.#api.list<ApiPod>('/api/v1/pods?fieldSelector=spec.nodeName!='))
        await tolerant(this.#tell(pod));
      for (const claim of await this.#api.list<Claim>('/api/v1/persistentvolumeclaims'))
        await tolerant(this.#provide(claim));
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async #beat(): Promise<void> {
    this.#beatAt = performance.now();
    for (const name of this.#names) await this.#api.patch(`${LEASES}/${name}`, { spec: { renewTime: microTime() } });
  }

  async #tell(pod: ApiPod): Promise<void> {
    const { uid, namespace, name, deletionTimestamp } = pod.metadata;
    const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
    if (deletionTimestamp !== undefined) {
      if (this.#runtime.isGone(pod)) await this.#api.delete(path, { gracePeriodSeconds: 0, preconditions: { uid } });
      return;
    }
    const state = this.#runtime.state(pod);
    const told = this.#told.get(uid);
    if (state.kind === 'starting' || state.kind === told?.kind) return;
    const address = told?.address ?? podAddress(this.#told.size + 1);
    await this.#api.patch(`${path}/status`, { metadata: { uid }, status: statusOf(pod.spec, state, address) });
    this.#told.set(uid, { kind: state.kind, address });
  }

  async #provide({ metadata, spec, status }: Claim): Promise<void> {
    if (
      status.phase !== 'Pending' ||
      metadata.annotations?.['volume.kubernetes.io/storage-provisioner'] !== PROVISIONER
    )
      return;
    const { namespace, name, uid } = metadata;
    await this.#api.create('/api/v1/persistentvolumes', {
      metadata: { name: `of-${uid}` },
      spec: {
        storageClassName: spec.storageClassName,
        accessModes: spec.accessModes,
        capacity: spec.resources.requests,
        persistentVolumeReclaimPolicy: 'Retain',
        claimRef: { namespace, name, uid },
        hostPath: { path: `/pretended/${uid}` },
      },
    });
  }
}

type Told = { readonly kind: PodState['kind']; readonly address: string };

type Claim = ApiObject<
  {
    readonly storageClassName: string;
    readonly accessModes: readonly string[];
    readonly resources: { readonly requests: object };
  },
  { readonly phase: string }
>;

function statusOf(
  { containers, initContainers = [], restartPolicy }: PodSpec,
  state: PodState,
  address: string,
): object {
  const isReady = state.kind === 'ready';
  const isOver = state.kind === 'ended' && restartPolicy !== 'Always';
  const exitStatus = state.kind === 'ended' ? state.exitStatus : 0;
  const terminated = (exitCode: number) => ({ terminated: { exitCode, startedAt: time(), finishedAt: time() } });
  const container =
    (its: object) =>
    ({ name, image }: Container) => ({ name, image, imageID: image, restartCount: 0, ...its });
  const over = { ready: false, started: false, state: terminated(exitStatus) };
  const running = { ready: isReady, started: isReady, state: { running: { startedAt: time() } } };
  return {
    phase: isOver ? (exitStatus === 0 ? 'Succeeded' : 'Failed') : 'Running',
    startTime: time(),
    podIP: address,
    podIPs: [{ ip: address }],
    conditions: [condition('Initialized', true), condition('ContainersReady', isReady), condition('Ready', isReady)],
    initContainerStatuses: initContainers.map(container({ ready: true, started: false, state: terminated(0) })),
    containerStatuses: containers.map(container(state.kind === 'ended' ? over : running)),
  };
}

const storageClass = (name: string, volumeBindingMode: string, isDefault: boolean): object => ({
  metadata: { name, annotations: { 'storageclass.kubernetes.io/is-default-class': String(isDefault) } },
  provisioner: PROVISIONER,
  reclaimPolicy: 'Retain',
  volumeBindingMode,
});

const time = (): string => new Date().toISOString().replace(/\.\d+/, '');
const microTime = (): string => new Date().toISOString().replace('Z', '000Z');
const condition = (type: string, isSo: boolean): object => ({
  type,
  status: isSo ? 'True' : 'False',
  lastTransitionTime: time(),
});
const podAddress = (number: number): string => `10.244.${Math.floor(number / 250)}.${1 + (number % 250)}`;

/** Somebody else was quicker: what is there, gone or changed is looked at again. */
async function tolerant(told: Promise<void>): Promise<void> {
  try {
    await told;
  } catch (error) {
    if (!(error instanceof KubernetesApiError && [404, 409].includes(error.status))) throw error;
  }
}
