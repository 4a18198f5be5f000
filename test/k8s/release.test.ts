/**
 * Releases before a real API server, real controllers and a real scheduler: what they take and refuse, what a change rolls, and what stays. What runs on the nodes is
 * pretended; running.test.ts has pods that run.
 */

import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest';
import { EXAMPLES, exampleFile, HELMS, type Helm, type Values } from '../harness/chart.ts';
import { type Cluster, type Namespace, startCluster } from '../harness/cluster.ts';
import { eventually } from '../harness/eventually.ts';
import type { ApiObject, ApiPod, ApiWorkload } from '../harness/kubernetes-api.ts';
import { type KubernetesObject, ofKind } from '../harness/kubernetes-object.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster?.stop());

const BUS = { url: 'nats://nats.nats.svc:4222' };
const [FACES, PLATES] = [
  { name: 'faces', use: 'frame-stats', interval: 1 },
  { name: 'plates', use: 'frame-stats', interval: 1 },
];
const releases: readonly { what: string; values: Values }[] = [
  { what: 'the least that is to be said', values: { values: { nats: BUS, algorithms: [FACES] } } },
  ...EXAMPLES.map((example) => ({ what: example, values: { files: [exampleFile(example)] } })),
];

async function namespaceOf(which: Helm, what: string): Promise<Namespace> {
  const namespace = await cluster.namespace(`${which}-${what.replace(/\W+/g, '-')}`);
  onTestFailed(async () => console.error((await namespace.warnings()).join('\n'), cluster.logs()));
  return namespace;
}

const isReady = ({ status }: ApiPod): boolean =>
  status.conditions.some((each) => each.type === 'Ready' && each.status === 'True');
const workloadsOf = async (namespace: Namespace): Promise<readonly ApiWorkload[]> => [
  ...(await namespace.list<ApiWorkload>('apps/v1/deployments')),
  ...(await namespace.list<ApiWorkload>('apps/v1/statefulsets')),
];
const isVolume = (name: string): boolean => /^persistentvolume(claim)?s\//.test(name);
const volumesOf = (names: readonly string[]): string[] =>
  names.filter((name) => name.startsWith('persistentvolumeclaims/'));

/** Once all that is about to go has gone: what is there, and was not before. */
async function leftOf(
  namespace: Namespace,
  before: readonly string[],
  stays: (name: string) => boolean,
): Promise<string[]> {
  const left = async (): Promise<string[]> => (await namespace.inventory()).filter((name) => !before.includes(name));
  await expect.poll(async () => (await left()).filter((name) => !stays(name)), { timeout: 30_000 }).toEqual([]);
  return left();
}

test.each(HELMS.flatMap((which) => releases.map((release) => ({ which, ...release }))))(
  '$which: $what is admitted under restricted, runs whole, and leaves nothing but its volumes',
  async ({ which, what, values }) => {
    const namespace = await namespaceOf(which, what);
    const before = await namespace.inventory();
    await namespace.helm(which, 'install', values);

    expect(await namespace.warnings()).toEqual([]);
    const pods = await namespace.list<ApiPod>('pods');
    expect(pods.filter((pod) => !(isReady(pod) && pod.spec.nodeName))).toEqual([]);
    const workloads = await workloadsOf(namespace);
    expect(workloads.length).toBeGreaterThan(3);
    for (const { metadata, spec, status } of workloads)
      expect([metadata.name, status.readyReplicas]).toEqual([metadata.name, spec.replicas]);
    const sets = workloads.filter(({ spec }) => spec.volumeClaimTemplates);
    await nothingIsLeftOut(namespace, await namespace.manifest(which));

    await namespace.uninstall(which);
    expect(volumesOf(await leftOf(namespace, before, isVolume))).toHaveLength(sets.length);
  },
);

/** The API server drops silently what a definition does not know. */
async function nothingIsLeftOut(namespace: Namespace, manifest: readonly KubernetesObject[]): Promise<void> {
  const resources = {
    ScaledObject: 'keda.sh/v1alpha1/scaledobjects',
    PodMonitor: 'monitoring.coreos.com/v1/podmonitors',
    PrometheusRule: 'monitoring.coreos.com/v1/prometheusrules',
  } as const;
  for (const { kind, metadata, spec } of ofKind(manifest, 'ScaledObject', 'PodMonitor', 'PrometheusRule')) {
    const taken = (await namespace.list(resources[kind])).find((object) => object.metadata.name === metadata.name);
    expect(taken?.spec, `${kind} ${metadata.name}`).toMatchObject(spec);
  }
}

test('a pod that is not restricted is refused, and Helm does not call that an installation', async () => {
  const namespace = await namespaceOf('helm4', 'refused');
  const extraVolumes = [{ name: 'host', hostPath: { path: '/' } }];
  const values = { nats: BUS, algorithms: [FACES], scheduler: { extraVolumes } };
  await expect(namespace.helm('helm4', 'install', { values }, '--timeout', '10s')).rejects.toThrow(
    'helm4 install ends with 1',
  );
  expect(await namespace.warnings()).toContainEqual(
    expect.stringMatching(/^FailedCreate ReplicaSet site-stream-infer-scheduler-.*violates PodSecurity "restricted/),
  );
  await namespace.uninstall('helm4');
});

type AccessReview = ApiObject<unknown, { readonly allowed: boolean }>;

test('no account of a release may do anything', async () => {
  const namespace = await namespaceOf('helm4', 'rights');
  await namespace.helm('helm4', 'install', { files: [exampleFile('trial.yaml')] });
  const accounts = (await namespace.list('serviceaccounts')).filter(({ metadata }) =>
    metadata.name.startsWith('site-'),
  );
  expect(accounts).toHaveLength(6);
  for (const { metadata } of accounts)
    for (const [verb, resource] of [
      ['get', 'secrets'],
      ['list', 'pods'],
      ['create', 'pods'],
      ['*', '*'],
    ] as const) {
      const user = `system:serviceaccount:${namespace.name}:${metadata.name}`;
      const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace.name}`, 'system:authenticated'];
      const spec = { user, groups, resourceAttributes: { namespace: namespace.name, verb, resource } };
      const { status } = await cluster.api.create<AccessReview>('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
        spec,
      });
      expect([user, verb, resource, status.allowed]).toEqual([user, verb, resource, false]);
    }
  await namespace.uninstall('helm4');
});

/** Of each workload: how often what it is to be was changed, and which pods it has. */
async function generations(namespace: Namespace): Promise<Map<string, string>> {
  const pods = (await namespace.list('pods')).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const workloads = await workloadsOf(namespace);
  return new Map(
    workloads.map(({ metadata, spec }) => {
      const labels = Object.entries(spec.selector?.matchLabels ?? {});
      const own = pods.filter((pod) => labels.every(([key, value]) => pod.metadata.labels?.[key] === value));
      const uids = own.map((pod) => pod.metadata.uid).sort();
      return [metadata.name.replace('site-stream-infer-', ''), `${metadata.generation} ${uids.join(' ')}`];
    }),
  );
}

/** Which workloads a change rolled. */
async function rolledBy(namespace: Namespace, change: () => Promise<unknown>): Promise<string[]> {
  const before = await generations(namespace);
  await change();
  const after = await generations(namespace);
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((name) => before.get(name) !== after.get(name))
    .sort();
}

test.each(HELMS)('%s: an upgrade rolls what it changes, and nothing else; so does a rollback', async (which) => {
  const namespace = await namespaceOf(which, 'upgrades');
  const secrets = `/api/v1/namespaces/${namespace.name}/secrets`;
  await cluster.api.create(secrets, { metadata: { name: 'cameras' }, stringData: { gate: 'rtsp://camera/1' } });
  const gate = { id: 'gate', sourceFrom: { cameraSecret: 'gate' }, algorithms: ['faces'] };
  const base = { nats: BUS, cameraSecrets: ['cameras'], algorithms: [FACES, PLATES], streams: [gate] };
  const upgrade = (values: object) => namespace.helm(which, 'upgrade', { values: { ...base, ...values } });
  await namespace.helm(which, 'install', { values: base });

  const streams = [gate, { id: 'door', sourceFrom: { cameraSecret: 'door' }, fps: 5 }];
  const addCamera = () => cluster.api.patch(`${secrets}/cameras`, { stringData: { door: 'rtsp://camera/2' } });
  expect(await rolledBy(namespace, addCamera)).toEqual([]);
  expect(await rolledBy(namespace, () => upgrade({ streams }))).toEqual([]);
  const slower = [{ ...FACES, interval: 2 }, PLATES];
  expect(await rolledBy(namespace, () => upgrade({ streams, algorithms: slower }))).toEqual(['runner-faces']);
  expect(await rolledBy(namespace, () => namespace.rollback(which))).toEqual(['runner-faces']);
  const more = [FACES, PLATES, { name: 'more', use: 'frame-stats' }];
  expect(await rolledBy(namespace, () => upgrade({ streams, algorithms: more }))).toEqual(['runner-more']);
  expect(await rolledBy(namespace, () => upgrade({ streams }))).toEqual(['runner-more']);
  expect(await rolledBy(namespace, () => upgrade({ streams, scheduler: { replicas: 3 } }))).toEqual(['scheduler']);
  expect(await namespace.warnings()).toEqual([]);
  await namespace.uninstall(which);
});

test.each(HELMS)('%s: with purge an uninstall takes the volumes, and a job what stands on NATS', async (which) => {
  const namespace = await namespaceOf(which, 'purge');
  const before = await namespace.inventory();
  const files = [exampleFile('sqlite.yaml')];
  await namespace.helm(which, 'install', { files });
  expect(volumesOf(await namespace.inventory())).toContainEqual(
    expect.stringContaining('-site-stream-infer-collector-0'),
  );
  expect(await rolledBy(namespace, () => namespace.helm(which, 'upgrade', { files, values: { purge: true } }))).toEqual(
    ['collector'],
  );
  const events = async () => (await namespace.list('events')).map((event) => JSON.stringify(event));
  await namespace.uninstall(which);
  await eventually('the job was there', async () =>
    (await events()).some((event) => event.includes('site-stream-infer-purge')),
  );
  // Of a claim that is gone the volume is left to whoever provides it.
  expect(volumesOf(await leftOf(namespace, before, (name) => name.startsWith('persistentvolumes/')))).toEqual([]);
});
