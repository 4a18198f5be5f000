/** `purge: true`: what an uninstall takes with it, beside the release. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectBus } from '@stream-infer/bus/bus';
import { openStreams } from '@stream-infer/bus/registry';
import { ensureResultStream } from '@stream-infer/bus/result-stream';
import { expect, test } from 'vitest';
import { exampleFile, find, findWorkload, render } from '../harness/chart.ts';
import { type KubernetesObject, ofKind, workloadsOf } from '../harness/kubernetes-object.ts';
import { ManifestPods } from '../harness/manifest-pods.ts';
import { startNatsServer } from '../harness/nats-server.ts';

const purging = (values: object = {}) =>
  render({ files: [exampleFile('production.yaml')], values: { purge: true, ...values } });

test('volumes go only with purge', async () => {
  const policies = async (values: object): Promise<(string | undefined)[]> => {
    const objects = await render({ files: [exampleFile('sqlite.yaml')], values: { ...values } });
    return ofKind(objects, 'StatefulSet').map(({ spec }) => spec.persistentVolumeClaimRetentionPolicy?.whenDeleted);
  };
  expect(await policies({})).toEqual(['Retain']);
  expect(await policies({ purge: true })).toEqual(['Delete']);
});

test('without purge, and with a NATS server of its own, there is no job for what stands on it', async () => {
  const names = (objects: readonly KubernetesObject[]): string[] => objects.map(({ metadata }) => metadata.name);
  expect(names(await render({ files: [exampleFile('production.yaml')] }))).not.toContain('site-stream-infer-purge');
  expect(names(await render({ files: [exampleFile('trial.yaml')], values: { purge: true } }))).not.toContain(
    'site-stream-infer-purge',
  );
});

test("the job, its account and its policy are hooks after the release's end, and it comes as the operator", async () => {
  const objects = await purging();
  for (const kind of ['Job', 'ServiceAccount', 'NetworkPolicy'] as const)
    expect(find(objects, kind, 'site-stream-infer-purge').metadata.annotations).toMatchObject({
      'helm.sh/hook': 'post-delete',
    });
  const { spec } = findWorkload(objects, 'site-stream-infer-purge').spec.template;
  expect(spec.volumes.find(({ name }) => name === 'nats-credentials')?.secret).toMatchObject({
    items: [{ key: 'operator.creds', path: 'operator.creds' }],
  });
  expect(find(objects, 'NetworkPolicy', 'site-stream-infer-purge').spec.egress).toContainEqual({
    ports: [{ port: 4222, protocol: 'TCP' }],
    to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'nats' } } }],
  });
});

test('the job, run as its manifest says, leaves nothing of the prefix on the server', async () => {
  const server = await startNatsServer();
  const directory = await mkdtemp(join(tmpdir(), 'stream-infer-purge-'));
  const objects = await render({
    files: [exampleFile('sqlite.yaml')],
    values: { purge: true, nats: { url: server.url, prefix: 'site-a', credentialsSecret: '' } },
  });
  const pods = new ManifestPods({ objects: workloadsOf(objects), directory, network: 102 });
  const bus = await connectBus({ url: server.url, prefix: 'site-a', name: 'test' });
  try {
    await openStreams(bus);
    await ensureResultStream(bus, { maxBytes: 2 ** 20 });
    const job = await pods.start(findWorkload(objects, 'site-stream-infer-purge'));
    expect(await job.ended, job.log()).toBe(0);
    const left: string[] = [];
    for await (const { config } of bus.manager.streams.list()) left.push(config.name);
    expect(left).toEqual([]);
  } finally {
    await pods.stop();
    await bus.close();
    await server.stop();
    await rm(directory, { recursive: true });
  }
});
