/** What the pod of a runner reaches and takes at most, since code that comes from elsewhere may run in it (docs/security.md). */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { exampleFile, find, findWorkload, render as renderChart, type Values } from '../harness/chart.ts';
import { root } from '../harness/programs.ts';

const NAMES = {
  to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } }],
  ports: [
    { port: 53, protocol: 'UDP' },
    { port: 53, protocol: 'TCP' },
  ],
};
const BUS = {
  to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'nats' } } }],
  ports: [{ port: 4222, protocol: 'TCP' }],
};

const render = (values: Values['values'] = {}) => renderChart({ files: [exampleFile('production.yaml')], values });
const runner = (algorithm: string): string => `site-stream-infer-runner-${algorithm}`;

test.each([
  ['counter', 'a module'],
  ['plates', 'a model of an image'],
])('the runner of %s, %s, reaches the bus and whoever resolves names, and nothing else', async (algorithm) => {
  const { spec } = find(await render(), 'NetworkPolicy', runner(algorithm));
  expect(spec.policyTypes).toEqual(['Ingress', 'Egress']);
  expect(spec.egress).toEqual([NAMES, BUS]);
});

test('a runner that fetches its model reaches where models are, too', async () => {
  const models = [{ ipBlock: { cidr: '10.40.0.7/32' } }];
  const { spec } = find(await render({ networkPolicy: { models } }), 'NetworkPolicy', runner('faces'));
  const ports = [443, 80].map((port) => ({ port, protocol: 'TCP' }));
  expect(spec.egress).toEqual([NAMES, BUS, { to: models, ports }]);
});

test('a runner has the limits of the values, and its own user, root file system and capabilities', async () => {
  const values = parse(await readFile(join(root, 'deploy', 'k8s', 'stream-infer', 'values.yaml'), 'utf8')) as {
    readonly runners: { readonly resources: { readonly limits: Record<string, unknown> } };
  };
  const { containers, securityContext, volumes } = findWorkload(await render(), runner('counter')).spec.template.spec;
  const [container] = containers;
  expect(container?.resources.limits).toEqual(values.runners.resources.limits);
  expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
  expect(container?.securityContext).toMatchObject({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  // It may write to what is its own and gone with it, and to nothing that it shares.
  const writable = container?.volumeMounts
    .filter(({ readOnly }) => readOnly !== true)
    .map(({ mountPath }) => mountPath);
  expect(writable).toEqual(['/tmp']);
  expect(volumes).toContainEqual({ name: 'tmp', emptyDir: {} });
});
