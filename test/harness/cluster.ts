/** A cluster for releases of the chart: a control plane, nodes, a namespace that takes restricted pods alone, and what the examples refer to. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { chartFolder, type Helm, helm, toolsFolder, type Values, valueArguments } from './chart.ts';
import { startNodes } from './cluster-nodes.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { eventually } from './eventually.ts';
import type { ApiObject, KubernetesApi } from './kubernetes-api.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import { type PodRuntime, pretendedRuntime } from './pod-runtime.ts';

export type Cluster = {
  readonly api: KubernetesApi;
  /** A new namespace whose Pod Security is `restricted`, with what the examples take for granted. */
  namespace(name: string): Promise<Namespace>;
  logs(): string;
  stop(): Promise<void>;
};

export type HelmCommand = 'install' | 'upgrade';

export type Namespace = {
  readonly name: string;
  /** Installs or upgrades the release `site`, and waits until all of it works; throws what Helm says. */
  helm(which: Helm, command: HelmCommand, values: Values, ...args: readonly string[]): Promise<string>;
  uninstall(which: Helm): Promise<string>;
  rollback(which: Helm): Promise<string>;
  /** The objects of the release, as Helm gave them to the API server. */
  manifest(which: Helm): Promise<readonly KubernetesObject[]>;
  list<T = ApiObject>(resource: string): Promise<readonly T[]>;
  /** Every object of it and of the whole cluster, as `kind/name`: no events, no pods that are about to go. */
  inventory(): Promise<readonly string[]>;
  /** What the API server and the controllers complained of. */
  warnings(): Promise<readonly string[]>;
};

const DEFINITIONS = [
  'keda.sh_scaledobjects',
  'monitoring.coreos.com_podmonitors',
  'monitoring.coreos.com_prometheusrules',
];
const HELM_LIMIT = '180s';

/** @param runtimeOf what makes of pods what they are; by default they are pretended. */
export async function startCluster(
  runtimeOf: (api: KubernetesApi) => Promise<PodRuntime> = async () => pretendedRuntime,
): Promise<Cluster> {
  const plane = await startControlPlane();
  const { api } = plane;
  const runtime = await runtimeOf(api);
  const nodes = await startNodes(api, {
    runtime,
    names: ['north', 'south'],
    storageClasses: ['standard', 'fast'],
    sharedClass: 'shared',
  });
  for (const name of DEFINITIONS) await define(api, name);
  await api.create('/apis/scheduling.k8s.io/v1/priorityclasses', { metadata: { name: 'video' }, value: 1_000 });
  await api.create('/apis/node.k8s.io/v1/runtimeclasses', { metadata: { name: 'nvidia' }, handler: 'nvidia' });
  return {
    api,
    namespace: (name) => makeNamespace(plane, name),
    logs: plane.logs,
    async stop() {
      await nodes.stop();
      await runtime.stop();
      await plane.stop();
    },
  };
}

/** Makes the kinds of a definition known to the API server. */
async function define(api: KubernetesApi, name: string): Promise<void> {
  const definition = parse(await readFile(join(toolsFolder, 'crds', `${name}.yaml`), 'utf8')) as Definition;
  await api.create('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition);
  const { group, names, versions } = definition.spec;
  await eventually(`${name} can be listed`, () => api.list(`/apis/${group}/${versions[0]?.name}/${names.plural}`));
}

async function makeNamespace({ api, kubeconfig }: ControlPlane, name: string): Promise<Namespace> {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await api.create('/api/v1/namespaces', { metadata: { name, labels } });
  await eventually(`${name} has an account`, () => api.get(`/api/v1/namespaces/${name}/serviceaccounts/default`));
  const claims = `/api/v1/namespaces/${name}/persistentvolumeclaims`;
  const spec = {
    storageClassName: 'shared',
    accessModes: ['ReadWriteMany'],
    resources: { requests: { storage: '1Gi' } },
  };
  for (const claim of ['models', 'shared-models']) await api.create(claims, { metadata: { name: claim }, spec });
  await eventually('the claims are bound', async () =>
    (await api.list<Claim>(claims)).every(({ status }) => status.phase === 'Bound'),
  );
  const run = async (which: Helm, args: readonly string[], input = ''): Promise<string> => {
    const { status, stdout, stderr } = await helm(
      which,
      [...args, '--namespace', name, '--kubeconfig', kubeconfig],
      input,
    );
    if (status !== 0) throw new Error(`${which} ${args[0]} ends with ${status}: ${stderr}`);
    return stdout;
  };
  const waiting = ['--wait', '--timeout', HELM_LIMIT];
  return {
    name,
    helm: (which, command, values, ...args) =>
      run(
        which,
        [command, 'site', chartFolder, ...waiting, ...args, ...valueArguments(values)],
        stringify(values.values ?? {}),
      ),
    uninstall: (which) => run(which, ['uninstall', 'site', ...waiting]),
    rollback: (which) => run(which, ['rollback', 'site', ...waiting]),
    manifest: async (which) =>
      parseAllDocuments(await run(which, ['get', 'manifest', 'site'])).map(
        (document) => document.toJS() as KubernetesObject,
      ),
    list: (resource) =>
      api.list(
        `/${resource.includes('/') ? `apis/${resource.slice(0, resource.lastIndexOf('/'))}` : 'api/v1'}/namespaces/${name}/${resource.split('/').at(-1)}`,
      ),
    async inventory() {
      const kinds = await resources(api);
      const lists = await Promise.all(
        kinds.map(async ({ path, namespaced, resource }) => {
          const objects = await api.list(namespaced ? `${path}/namespaces/${name}/${resource}` : `${path}/${resource}`);
          return objects.map(({ metadata }) => `${resource}/${metadata.name}`);
        }),
      );
      return lists.flat().sort();
    },
    async warnings() {
      const events = await api.list<Event>(`/api/v1/namespaces/${name}/events`);
      return events
        .filter(({ type, reason, involvedObject: { kind } }) => type === 'Warning' && !isExpected(reason, kind))
        .map(
          ({ reason, involvedObject, message }) =>
            `${reason} ${involvedObject.kind} ${involvedObject.name}: ${message}`,
        );
    },
  };
}

/** Of kinds. */
type Definition = ApiObject<{
  readonly group: string;
  readonly names: { readonly plural: string };
  readonly versions: readonly { readonly name: string }[];
}>;

type Claim = ApiObject<unknown, { readonly phase: string }>;

type Event = {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly involvedObject: { readonly kind: string; readonly name: string };
};

/** No metrics are served here; and the controller of budgets may see a pod before what has made it. */
const isExpected = (reason: string, kind: string): boolean =>
  kind === 'HorizontalPodAutoscaler' || reason === 'CalculateExpectedPodCountFailed';

type Resource = { readonly path: string; readonly resource: string; readonly namespaced: boolean };

/** Comes and goes by itself. */
const PASSING = new Set(['events', 'leases', 'componentstatuses']);

/** Every kind of object that can be listed, in its preferred version. */
async function resources(api: KubernetesApi): Promise<readonly Resource[]> {
  const { groups } = await api.get<{ groups: { preferredVersion: { groupVersion: string } }[] }>('/apis');
  const paths = ['/api/v1', ...groups.map(({ preferredVersion }) => `/apis/${preferredVersion.groupVersion}`)];
  const known = await Promise.all(
    paths.map(async (path) => {
      const list = await api.get<{ resources: { name: string; namespaced: boolean; verbs: string[] }[] }>(path);
      return list.resources
        .filter(({ name, verbs }) => verbs.includes('list') && !PASSING.has(name))
        .map(({ name, namespaced }) => ({ path, resource: name, namespaced }));
    }),
  );
  return known.flat();
}
