/** What holds of every pod of the chart, whatever the values. */

import { expect, test } from 'vitest';
import { EXAMPLES, environmentOf, exampleFile, render } from '../harness/chart.ts';
import {
  type Container,
  type KubernetesObject,
  ofKind,
  type Workload,
  workloadsOf,
} from '../harness/kubernetes-object.ts';

const releases = await Promise.all(
  EXAMPLES.map(async (example) => ({ example, objects: await render({ files: [exampleFile(example)] }) })),
);
const workloads = releases.flatMap(({ example, objects }) =>
  workloadsOf(objects).map((workload) => ({
    what: `${example}: ${workload.kind} ${workload.metadata.name}`,
    workload,
    objects,
  })),
);
const containersOf = ({ spec }: Workload): Container[] => [
  ...(spec.template.spec.initContainers ?? []),
  ...spec.template.spec.containers,
];

test.each(workloads)(
  '$what is restricted, as Pod Security calls it, and writes to no root file system',
  ({ workload }) => {
    const { spec } = workload.spec.template;
    expect(spec.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 10001,
      runAsGroup: 10001,
      fsGroup: 10001,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    for (const { securityContext } of containersOf(workload))
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    const kinds = spec.volumes.flatMap((volume) => Object.keys(volume)).filter((key) => key !== 'name');
    expect(
      kinds.filter((kind) => !['configMap', 'emptyDir', 'persistentVolumeClaim', 'projected', 'secret'].includes(kind)),
    ).toEqual([]);
    expect(Object.keys(spec)).not.toEqual(expect.arrayContaining([expect.stringMatching(/^host/)]));
  },
);

test.each(workloads)('$what has no token, and an account without one', ({ workload, objects }) => {
  const { serviceAccountName, automountServiceAccountToken } = workload.spec.template.spec;
  expect(automountServiceAccountToken).toBe(false);
  const account = objects.find(
    ({ kind, metadata }) => kind === 'ServiceAccount' && metadata.name === serviceAccountName,
  );
  expect(account).toMatchObject({ automountServiceAccountToken: false });
  expect(objects.filter(({ kind }) => /Role/.test(kind))).toEqual([]);
});

test.each(workloads)('$what asks for what it needs and has limits', ({ workload }) => {
  for (const { name, resources } of containersOf(workload)) {
    expect(Object.keys(resources.requests ?? {}), name).toEqual(
      expect.arrayContaining(['cpu', 'memory', 'ephemeral-storage']),
    );
    expect(Object.keys(resources.limits ?? {}), name).toEqual(expect.arrayContaining(['memory', 'ephemeral-storage']));
  }
});

test.each(workloads)('$what mounts volumes that it has, and each of them once', ({ workload }) => {
  const names = workload.spec.template.spec.volumes.map(({ name }) => name);
  const claims = (workload.spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name);
  expect(new Set(names).size).toBe(names.length);
  for (const { volumeMounts } of containersOf(workload)) {
    expect([...names, ...claims]).toEqual(expect.arrayContaining(volumeMounts.map(({ name }) => name)));
    const paths = volumeMounts.map(({ mountPath }) => mountPath);
    expect(new Set(paths).size).toBe(paths.length);
  }
  expect(workload.spec.template.spec.containers[0]?.volumeMounts).toContainEqual({ name: 'tmp', mountPath: '/tmp' });
});

const services = workloads.filter(
  ({ workload }) => workload.kind !== 'Job' && !workload.metadata.name.endsWith('-nats'),
);

test.each(services)('$what is probed over HTTP on the port of health, and not by what it serves', ({ workload }) => {
  const [container] = workload.spec.template.spec.containers;
  expect(container?.ports).toContainEqual({ name: 'health', containerPort: 8081, protocol: 'TCP' });
  expect(container?.startupProbe?.httpGet).toEqual({ path: '/v2/health/live', port: 'health' });
  expect(container?.livenessProbe?.httpGet).toEqual({ path: '/v2/health/live', port: 'health' });
  expect(container?.readinessProbe?.httpGet).toEqual({ path: '/v2/health/ready', port: 'health' });
  expect(environmentOf(workload)).toMatchObject({ HTTP_HOST: '0.0.0.0', HTTP_PORT: '8081' });
});

test.each(services)('$what has longer to end than it takes to drain', ({ workload }) => {
  const { terminationGracePeriodSeconds = 0, containers } = workload.spec.template.spec;
  const preStop = containers[0]?.lifecycle?.preStop?.sleep?.seconds ?? 0;
  const drain = Number(environmentOf(workload).DRAIN_TIMEOUT_MS) / 1_000;
  expect(drain).toBeGreaterThan(0);
  expect(terminationGracePeriodSeconds).toBeGreaterThan(preStop + drain);
});

/** Selectors of whatever selects pods: object → labels. */
function selectorOf({ kind, spec }: KubernetesObject): Readonly<Record<string, string>> | undefined {
  switch (kind) {
    case 'Service':
      return spec.selector;
    case 'NetworkPolicy':
      return spec.podSelector.matchLabels;
    case 'Deployment':
    case 'StatefulSet':
    case 'PodDisruptionBudget':
    case 'PodMonitor':
      return spec.selector?.matchLabels;
    default:
      return undefined;
  }
}

test.each(releases)('$example: whatever selects pods selects those of one workload', ({ objects }) => {
  const templates = workloadsOf(objects).map(({ metadata, spec }) => ({
    name: metadata.name,
    labels: spec.template.metadata.labels,
  }));
  for (const object of objects) {
    const selector = selectorOf(object);
    if (selector === undefined) continue;
    const selected = templates.filter(({ labels }) =>
      Object.entries(selector).every(([key, value]) => labels[key] === value),
    );
    expect(
      selected.map(({ name }) => name),
      `${object.kind} ${object.metadata.name}`,
    ).toEqual([object.metadata.name]);
  }
});

test.each(releases)('$example: every service and runner has its budget, and its policy', ({ objects }) => {
  const names = (kind: string): string[] =>
    objects
      .filter((object) => object.kind === kind)
      .map(({ metadata }) => metadata.name)
      .sort();
  const running = [...names('Deployment'), ...names('StatefulSet')].sort();
  const own = running.filter((name) => !name.endsWith('-nats'));
  expect(names('PodDisruptionBudget')).toEqual(own);
  expect(names('NetworkPolicy')).toEqual([...running, 'site-stream-infer-streams'].sort());
});

test.each(releases)('$example: what autoscalers scale is there, and has no number of its own', ({ objects }) => {
  const scalers = ofKind(objects, 'ScaledObject', 'HorizontalPodAutoscaler');
  const scaled = scalers.map(({ spec }) => spec.scaleTargetRef.name).sort();
  const free = ofKind(objects, 'Deployment')
    .filter(({ spec }) => spec.replicas === undefined)
    .map(({ metadata }) => metadata.name);
  expect(free.sort()).toEqual(scaled);
});

test.each(releases)('$example: nothing secret stands in an object, and none is made', ({ objects }) => {
  expect(objects.filter(({ kind }) => kind === 'Secret')).toEqual([]);
  expect(JSON.stringify(objects)).not.toMatch(/:\/\/[^/\s"'*]*:[^/\s"']*@/);
});
