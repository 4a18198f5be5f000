/**
 * A release that Helm installs into a cluster whose pods run: as processes, with the command, environment, mounts and probes that stand in the API server. What is ready says each pod's own
 * probe, what a job makes of it its own exit status.
 */

import { connectBus } from '@stream-infer/bus/bus';
import { BUS_CLIENTS, type BusClient } from '@stream-infer/bus/bus-client';
import { openStreams } from '@stream-infer/bus/registry';
import type { StreamReport } from '@stream-infer/core/stream-report';
import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest';
import { exampleFile } from '../harness/chart.ts';
import { type Cluster, type Namespace, startCluster } from '../harness/cluster.ts';
import { streamInfer } from '../harness/command.ts';
import { eventually } from '../harness/eventually.ts';
import { startNatsServer } from '../harness/nats-server.ts';
import { type ProcessRuntime, processRuntime } from '../harness/process-runtime.ts';

const PREFIX = 'site-stream-infer';

let cluster: Cluster;
let runtime: ProcessRuntime;
beforeAll(async () => {
  cluster = await startCluster(async (api) => {
    runtime = await processRuntime(api, 105);
    return runtime;
  });
});
afterAll(() => cluster?.stop());

async function reports(): Promise<StreamReport[]> {
  const answer = await fetch(`http://${runtime.find(`${PREFIX}-collector-0`)?.address}:8080/v1/streams`);
  return ((await answer.json()) as { streams: StreamReport[] }).streams;
}

/** Once results are there: how many, by stream. */
const resultsOf = (...ids: readonly string[]): Promise<Map<string, number>> =>
  eventually(`results of ${ids.join(', ')}`, async () => {
    const found = new Map((await reports()).map(({ id, results }) => [id, results]));
    return found.size === ids.length && ids.every((id) => (found.get(id) ?? 0) > 2) && found;
  });

async function namespaceOf(name: string): Promise<Namespace> {
  const namespace = await cluster.namespace(name);
  onTestFailed(async () => {
    console.error((await namespace.warnings()).join('\n'), cluster.logs());
    for (const { metadata } of await namespace.list('pods'))
      console.error(`== ${metadata.name}\n${runtime.find(metadata.name)?.log().slice(-2_000)}`);
  });
  return namespace;
}

const podsOf = async (namespace: Namespace): Promise<string[]> =>
  (await namespace.list('pods')).map(({ metadata }) => metadata.name);

const STREAM = { id: 'test', source: 'lavfi:testsrc', fps: 5, width: 320, height: 240 };
const STATS = { name: 'stats', use: 'frame-stats', interval: 1 };

test('it installs, gives results, is changed under way, and ends', async () => {
  const namespace = await namespaceOf('vision');
  const files = [exampleFile('trial.yaml')];
  await namespace.helm('helm4', 'install', { files });
  await resultsOf('test');
  const before = await podsOf(namespace);

  // An algorithm faster, one more, and a stream for it: the job waits until the collector knows both.
  const values = {
    algorithms: [
      { ...STATS, interval: 0.5 },
      { name: 'more', use: 'frame-stats', interval: 1 },
    ],
    streams: [STREAM, { ...STREAM, id: 'door', algorithms: ['more'] }],
  };
  await namespace.helm('helm4', 'upgrade', { files, values });
  await resultsOf('test', 'door');
  const after = await podsOf(namespace);
  const rolled = before.filter((name) => !after.includes(name));
  expect(rolled).toEqual([expect.stringMatching(/^site-stream-infer-runner-stats-/)]);
  expect(rolled.map((name) => runtime.ends().get(name))).toEqual([0]);

  const lived = after.map((name) => [name, runtime.find(name)?.restartedFor()]);
  expect(lived.filter(([, why]) => why !== undefined)).toEqual([]);
  await namespace.uninstall('helm4');
  await eventually('every pod has ended by itself', () => after.every((name) => runtime.ends().get(name) === 0));
});

test('with purge its end leaves nothing on a NATS server of users, and nothing of another installation goes', async () => {
  const namespace = await namespaceOf('purged');
  const { stdout: configuration } = await streamInfer(['bus', 'permissions', '--prefix', 'site-a']);
  const variable = (client: BusClient): string => `${client.replace('-', '_').toUpperCase()}_PASSWORD`;
  const passwords = BUS_CLIENTS.map((client) => [client, `password-of-${client}`] as const);
  const nats = await startNatsServer({
    // Whoever looks at what is there, besides.
    configuration: configuration.replace('users: [', 'users: [\n    {user: looker, password: looks}'),
    environment: Object.fromEntries(passwords.map(([client, password]) => [variable(client), password])),
  });
  const looker = { natsUser: 'looker', natsPassword: 'looks' };
  const bus = await connectBus({ url: nats.url, prefix: 'site', name: 'test', access: looker });
  const names = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const { config } of bus.manager.streams.list()) found.push(config.name);
    return found.sort();
  };
  try {
    await openStreams(bus);
    await cluster.api.create('/api/v1/namespaces/purged/secrets', {
      metadata: { name: 'nats-users' },
      stringData: Object.fromEntries(passwords.map(([client, password]) => [`${client}.password`, password])),
    });
    const values = { nats: { url: nats.url }, purge: true, cameraSecrets: [], algorithms: [STATS], streams: [STREAM] };
    await namespace.helm('helm4', 'install', { files: [exampleFile('sqlite.yaml')], values });
    await resultsOf('test');
    expect(await names()).toContain('site-a_RESULTS');
    await namespace.uninstall('helm4');
    expect(await names()).toEqual(['KV_site_streams']);
    await eventually('the job and its account are gone', async () =>
      (await namespace.inventory()).every((name) => !name.endsWith('-purge')),
    );
  } finally {
    await bus.close();
    await nats.stop();
  }
});
