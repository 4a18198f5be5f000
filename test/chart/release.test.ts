/** A whole release, as processes straight from the rendered manifests: its pods become ready, its job applies the streams, results come out. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StreamReport } from '@stream-infer/core/stream-report';
import { afterEach, beforeEach, expect, onTestFailed, test } from 'vitest';
import { newApiToken } from '../../packages/cli/src/api-token.ts';
import { type CertificateAuthority, certificateAuthority } from '../harness/certificates.ts';
import { exampleFile, findWorkload, isWorkload, type KubernetesObject, render } from '../harness/chart.ts';
import { eventually } from '../harness/eventually.ts';
import { ManifestPods, type RunningPod } from '../harness/manifest-pods.ts';

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
  const workloads = rendered.filter(isWorkload);
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

  expect(await Promise.all(running.map((pod) => pod.stop())), running.map((pod) => pod.log()).join('\n')).toEqual(
    running.map(() => 0),
  );
  expect(collector?.log()).not.toContain('"level":50');
});
