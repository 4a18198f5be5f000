/**
 * What a cluster has beside its control plane, pretended: nodes, of which no kubelet tells, and volumes of a storage class, which nobody provides. A pod that the scheduler
 * has bound is said to run and to be ready, that of a job to have succeeded; nothing of it is started. What is deleted is said to have ended.
 */

import { type ApiObject, type KubernetesApi, KubernetesApiError } from './kubernetes-api.ts';

export type PretendedNodes = { stop(): Promise<void> };

export type PretendedNodesOptions = {
  readonly names: readonly string[];
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

export async function pretendNodes(api: KubernetesApi, options: PretendedNodesOptions): Promise<PretendedNodes> {
  const pretended = new Nodes(api);
  const classes = [
    ...options.storageClasses.map((name, at) => storageClass(name, 'WaitForFirstConsumer', at === 0)),
    storageClass(options.sharedClass, 'Immediate', false),
  ];
  for (const each of classes) await api.create('/apis/storage.k8s.io/v1/storageclasses', each);
  for (const name of options.names) await pretended.add(name);
  return pretended.run();
}

class Nodes {
  readonly #api: KubernetesApi;
  readonly #names: string[] = [];
  #pods = 0;
  #beatAt = performance.now();
  #isStopped = false;

  constructor(api: KubernetesApi) {
    this.#api = api;
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
      status: { capacity: CAPACITY, allocatable: CAPACITY, conditions: [condition('Ready')] },
    });
    await this.#api.create(LEASES, {
      metadata: { name },
      spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime: microTime() },
    });
  }

  /** Goes on until it is stopped; what it fails by is told when it fails, and when it is stopped. */
  run(): PretendedNodes {
    const ended = this.#loop();
    ended.catch((error: unknown) => console.error('the pretended nodes are gone:', error));
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
      for (const pod of await this.#api.list('/api/v1/pods?fieldSelector=spec.nodeName!='))
        await tolerant(this.#tell(pod));
      for (const claim of await this.#api.list('/api/v1/persistentvolumeclaims')) await tolerant(this.#provide(claim));
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async #beat(): Promise<void> {
    this.#beatAt = performance.now();
    for (const name of this.#names) await this.#api.patch(`${LEASES}/${name}`, { spec: { renewTime: microTime() } });
  }

  async #tell({ metadata, spec, status }: ApiObject): Promise<void> {
    const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`;
    if (metadata.deletionTimestamp !== undefined)
      await this.#api.delete(path, { gracePeriodSeconds: 0, preconditions: { uid: metadata.uid } });
    else if (status.phase === 'Pending')
      await this.#api.patch(`${path}/status`, { metadata: { uid: metadata.uid }, status: this.#statusOf(spec) });
  }

  #statusOf({ containers, initContainers = [], restartPolicy }: Spec): object {
    this.#pods += 1;
    const isJob = restartPolicy !== 'Always';
    const over = { terminated: { exitCode: 0, reason: 'Completed', startedAt: time(), finishedAt: time() } };
    const told =
      (state: object, isReady: boolean) =>
      ({ name, image }: Container) => ({
        name,
        image,
        imageID: image,
        ready: isReady,
        started: isReady,
        restartCount: 0,
        state,
      });
    return {
      phase: isJob ? 'Succeeded' : 'Running',
      startTime: time(),
      podIP: podAddress(this.#pods),
      podIPs: [{ ip: podAddress(this.#pods) }],
      conditions: [condition('Initialized'), ...(isJob ? [] : [condition('ContainersReady'), condition('Ready')])],
      initContainerStatuses: initContainers.map(told(over, true)),
      containerStatuses: containers.map(isJob ? told(over, false) : told({ running: { startedAt: time() } }, true)),
    };
  }

  async #provide({ metadata, spec, status }: ApiObject): Promise<void> {
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

type Container = { readonly name: string; readonly image: string };
type Spec = {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly restartPolicy: string;
};

const storageClass = (name: string, volumeBindingMode: string, isDefault: boolean): object => ({
  metadata: { name, annotations: { 'storageclass.kubernetes.io/is-default-class': String(isDefault) } },
  provisioner: PROVISIONER,
  reclaimPolicy: 'Retain',
  volumeBindingMode,
});

const time = (): string => new Date().toISOString().replace(/\.\d+/, '');
const microTime = (): string => new Date().toISOString().replace('Z', '000Z');
const condition = (type: string): object => ({ type, status: 'True', lastTransitionTime: time() });
const podAddress = (number: number): string => `10.244.${Math.floor(number / 250)}.${1 + (number % 250)}`;

/** Somebody else was quicker: what is there, gone or changed is looked at again. */
async function tolerant(told: Promise<void>): Promise<void> {
  try {
    await told;
  } catch (error) {
    if (!(error instanceof KubernetesApiError && [404, 409].includes(error.status))) throw error;
  }
}
