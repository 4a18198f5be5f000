/** Whole releases, as processes straight from the rendered manifests: pods become ready and stay alive by their probes, the job applies the streams, results come out. */

import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUS_CLIENTS, type BusClient } from '@stream-infer/bus/bus-client';
import type { StreamReport } from '@stream-infer/core/stream-report';
import { afterEach, beforeEach, expect, onTestFailed, test } from 'vitest';
import { newApiToken } from '../../packages/cli/src/api-token.ts';
import { type CertificateAuthority, certificateAuthority } from '../harness/certificates.ts';
import { exampleFile, findWorkload, render } from '../harness/chart.ts';
import { streamInfer } from '../harness/command.ts';
import { eventually } from '../harness/eventually.ts';
import { type KubernetesObject, workloadsOf } from '../harness/kubernetes-object.ts';
import { ManifestPods } from '../harness/manifest-pods.ts';
import { startNatsServer } from '../harness/nats-server.ts';
import type { RunningPod } from '../harness/pod-process.ts';
import { root } from '../harness/programs.ts';

const PREFIX = 'site-stream-infer';
const MODULE = `export default class Counter {
  run(frames) { return { width: frames.at(-1).width }; }
}`;

let directory: string;
let pods: ManifestPods | undefined;
let authority: CertificateAuthority;

beforeEach(async () => {
  authority = await certificateAuthority();
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-release-'));
});
afterEach(async () => {
  await pods?.stop();
  pods = undefined;
  await authority.remove();
  await rm(directory, { recursive: true });
});

/** What a Secret of kind tls holds. */
async function certificateOf(service: string): Promise<Record<string, string>> {
  const { cert, key } = await authority.issue(service);
  const [ca, certificate, own] = await Promise.all([authority.ca, cert, key].map((file) => readFile(file, 'utf8')));
  return { 'ca.crt': ca ?? '', 'tls.crt': certificate ?? '', 'tls.key': own ?? '' };
}

/** What the user of the chart made beside it. */
const userConfigMap = (name: string, data: Record<string, string>): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});

test('each pod starts as its manifest says, and streams of a Secret and of the values give results', async () => {
  const rendered = await render({
    files: [exampleFile('trial.yaml')],
    values: {
      cameraSecrets: ['cameras'],
      grpc: { tls: { schedulerSecret: 'scheduler-tls', runnerSecret: 'runner-tls' } },
      collector: { auth: { tokensSecret: 'api-tokens', tokenSecret: { name: 'helm-token' } } },
      algorithms: [
        { name: 'stats', use: 'frame-stats', interval: 1 },
        { name: 'counter', module: { configMap: 'mine', file: 'counter.mjs' }, runner: { concurrency: 2 } },
      ],
      streams: [
        { id: 'secret', sourceFrom: { cameraSecret: 'gate' }, fps: 5, algorithms: ['counter'] },
        { id: 'test', source: 'lavfi:testsrc', fps: 5, width: 320, height: 240 },
      ],
    },
  });
  const { token, line } = newApiToken('helm', 'operate');
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const objects = [...rendered, userConfigMap('mine', { 'counter.mjs': MODULE })];
  pods = new ManifestPods({
    objects,
    directory,
    network: 101,
    secrets: {
      cameras: { gate: 'lavfi:testsrc2=size=640x480' },
      'scheduler-tls': await certificateOf('scheduler'),
      'runner-tls': await certificateOf('algo-runner'),
      'api-tokens': { tokens: line },
      'helm-token': { token },
    },
  });
  onTestFailed(() => console.error(pods?.logs()));
  const workloads = workloadsOf(rendered);
  const nats = await pods.start(findWorkload(rendered, `${PREFIX}-nats`));
  await nats.ready();
  const services = workloads.filter(({ kind, metadata }) => kind !== 'Job' && metadata.name !== `${PREFIX}-nats`);
  const running: RunningPod[] = [];
  for (const service of services) running.push(await pods.start(service));
  await Promise.all(running.map((pod) => pod.ready()));

  const job = await pods.start(findWorkload(rendered, `${PREFIX}-streams`));
  expect(await job.ended, job.log()).toBe(0);
  expect(job.log()).toContain('added: secret, test');

  const api = `http://${running.find(({ name }) => name.endsWith('-collector'))?.address}:8080`;
  const reports = await eventually('results of both streams', async () => {
    const { streams } = (await (await fetch(`${api}/v1/streams`, { headers })).json()) as { streams: StreamReport[] };
    return streams.length === 2 && streams.every(({ results }) => results > 2) && streams;
  });
  expect(reports.map(({ id, owner }) => [id, owner])).toEqual([
    ['secret', 'helm/site'],
    ['test', 'helm/site'],
  ]);
  const last = await eventually('what the module counted', async () => {
    const answer = await fetch(`${api}/v1/streams/secret/results/last`, { headers });
    return answer.ok && ((await answer.json()) as object);
  });
  expect(JSON.stringify(last)).toContain('"width":640');

  // Another algorithm arrives in the mounted configuration: the collector knows it, and was not restarted.
  const collector = running.find(({ name }) => name.endsWith('-collector'));
  const configuration = join(directory, `${PREFIX}-collector`, 'configuration', 'configuration.yaml');
  await writeFile(configuration, 'algorithms: [{name: stats, use: frame-stats}, {name: more, use: frame-stats}]');
  await eventually('the new algorithm is known', async () => {
    const body = JSON.stringify({ id: 'more', source: 'lavfi:testsrc', algorithms: ['more'] });
    return (await fetch(`${api}/v1/streams`, { method: 'POST', body, headers })).status === 201;
  });
  expect((await fetch(`${api}/v1/streams`)).status).toBe(401);
  expect([nats, ...running].map((pod) => pod.restartedFor()).filter((why) => why !== undefined)).toEqual([]);

  expect(await Promise.all(running.map((pod) => pod.stop())), running.map((pod) => pod.log()).join('\n')).toEqual(
    running.map(() => 0),
  );
  expect(collector?.log()).not.toContain('"level":50');
});

/** Serves one file; its URL. */
async function serveFile(path: string): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const bytes = await readFile(path);
  const server = createServer((_, answer) => answer.end(bytes));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/shapes.onnx`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('beside a NATS of its own users each pod comes with its own password alone, and a runner with its model fetched', async () => {
  await using opened = new AsyncDisposableStack();
  const { stdout: configuration } = await streamInfer(['bus', 'permissions', '--prefix', 'site-a']);
  const variable = (client: BusClient): string => `${client.replace('-', '_').toUpperCase()}_PASSWORD`;
  const environment = Object.fromEntries(BUS_CLIENTS.map((client) => [variable(client), `password-of-${client}`]));
  const nats = opened.adopt(await startNatsServer({ configuration, environment }), (each) => each.stop());
  const model = join(root, 'examples', 'demo', 'shapes.onnx');
  const served = opened.adopt(await serveFile(model), (each) => each.stop());
  const sha256 = createHash('sha256')
    .update(await readFile(model))
    .digest('hex');
  const algorithms = [
    {
      name: 'shapes',
      use: 'onnx-detector',
      model: { url: served.url, sha256 },
      options: { family: 'yolov8', scoreThreshold: 0.5, labels: ['ball', 'box', 'cone', 'star'] },
      interval: 1,
    },
    { name: 'tracks', use: 'byte-track', after: 'shapes', runnerGroup: 'light' },
    { name: 'picture', use: 'frame-stats', interval: 1, runnerGroup: 'light' },
  ];
  const rendered = await render({
    files: [exampleFile('sqlite.yaml')],
    values: {
      nats: { url: nats.url, credentialsSecret: 'nats-users' },
      purge: true,
      pods: { extraEnvFrom: [{ secretRef: { name: 'site' } }] },
      algorithms,
      streams: [{ id: 'gate-1', sourceFrom: { cameraSecret: 'gate-1' }, fps: 5, width: 320, height: 320 }],
    },
  });
  const passwords = BUS_CLIENTS.map((client) => [`${client}.password`, `password-of-${client}`]);
  pods = new ManifestPods({
    objects: rendered,
    directory,
    network: 104,
    secrets: {
      cameras: { 'gate-1': 'lavfi:testsrc2=size=640x480' },
      'nats-users': Object.fromEntries(passwords),
      site: { TZ: 'UTC' },
    },
  });
  onTestFailed(() => console.error(pods?.logs()));
  const running: RunningPod[] = [];
  for (const workload of workloadsOf(rendered).filter(({ kind }) => kind !== 'Job')) {
    running.push(await pods.start(workload));
    const component = workload.metadata.labels?.['app.kubernetes.io/component'];
    expect(await readdir(pods.folder(workload, '/etc/stream-infer/nats/credentials'))).toEqual([
      `${component}.password`,
    ]);
  }
  await Promise.all(running.map((pod) => pod.ready()));
  const runner = findWorkload(rendered, `${PREFIX}-runner-shapes`);
  expect(await readdir(pods.folder(runner, '/models/cache'))).toEqual([sha256]);

  const streams = await pods.start(findWorkload(rendered, `${PREFIX}-streams`));
  expect(await streams.ended, streams.log()).toBe(0);
  const api = `http://${running.find(({ name }) => name.endsWith('-collector'))?.address}:8080`;
  const last = await eventually('results of every algorithm', async () => {
    const answer = await fetch(`${api}/v1/streams/gate-1/results/last`);
    const records = answer.ok ? ((await answer.json()) as Record<string, { error?: unknown }>) : {};
    return Object.keys(records).length === algorithms.length && records;
  });
  for (const [algorithm, { error }] of Object.entries(last)) expect([algorithm, error]).toEqual([algorithm, undefined]);
  expect(running.map((pod) => pod.restartedFor()).filter((why) => why !== undefined)).toEqual([]);
  expect(await Promise.all(running.map((pod) => pod.stop())), pods.logs()).toEqual(running.map(() => 0));

  const purge = await pods.start(findWorkload(rendered, `${PREFIX}-purge`));
  expect(await purge.ended, purge.log()).toBe(0);
  expect(purge.log()).toMatch(/^site-a_RESULTS: [1-9]\d* messages/m);
  for (const [, password] of passwords) expect(pods.logs()).not.toContain(password);
});
