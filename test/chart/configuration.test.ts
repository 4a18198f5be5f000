/** What the chart hands to the services is what these read: the configuration file, the list of streams, the environment. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { autoscalingQuery } from '@stream-infer/core/autoscaling-query';
import { parseConfiguration } from '@stream-infer/core/configuration-fault';
import { environmentName, SERVICE_SETTINGS, type ServiceSection } from '@stream-infer/core/settings';
import { readSettings } from '@stream-infer/service-kit/settings';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseCommandLine } from '../../packages/cli/src/command-line.ts';
import { readStreamList } from '../../packages/cli/src/streams/stream-list.ts';
import { DASHBOARDS } from '../../scripts/monitoring/dashboards.ts';
import { grafanaDashboard } from '../../scripts/monitoring/grafana.ts';
import { EXAMPLES, environmentOf, exampleFile, find, findWorkload, render } from '../harness/chart.ts';
import { ofKind, type Workload, workloadsOf } from '../harness/kubernetes-object.ts';
import { RULES, type Rule } from '../harness/prometheus.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-chart-'));
});
afterAll(() => rm(directory, { recursive: true }));

const SECTIONS: Readonly<Record<string, ServiceSection>> = {
  ingest: 'ingest',
  scheduler: 'scheduler',
  'algo-runner': 'algoRunner',
  collector: 'collector',
};

describe.each(EXAMPLES)('of %s', (example) => {
  const rendered = render({ files: [exampleFile(example)] });

  test('the configuration is one that the services take', async () => {
    const text =
      find(await rendered, 'ConfigMap', 'site-stream-infer-configuration').data?.['configuration.yaml'] ?? '';
    const { algorithms } = parseConfiguration(parse(text), 'configuration.yaml');
    expect(algorithms.length).toBeGreaterThan(0);
  });

  test('the streams are a list that the command applies, with absolute places', async () => {
    const text = find(await rendered, 'ConfigMap', 'site-stream-infer-streams').data?.['streams.yaml'] ?? '';
    const file = join(directory, example);
    await writeFile(file, text);
    const streams = await readStreamList(file);
    expect(streams.length).toBeGreaterThan(0);
    for (const { sourceFrom } of streams)
      if (sourceFrom)
        expect(sourceFrom).toEqual({ file: expect.stringMatching(/^\/etc\/stream-infer\/cameras\/[^/]+$/) });
  });

  test('each service takes its environment, and knows every variable of it', async () => {
    for (const workload of workloadsOf(await rendered)) {
      const section = SECTIONS[workload.spec.template.metadata.labels['app.kubernetes.io/component'] ?? ''];
      if (section === undefined) continue;
      const environment = allVariables(workload);
      expect(() => readSettings(section, undefined, environment), workload.metadata.name).not.toThrow();
      const known = Object.keys(SERVICE_SETTINGS[section].shape).map(environmentName);
      const others = ['TMPDIR', 'STREAM_INFER_CONFIG', 'POD_IP', 'SOURCES_ALLOW'];
      expect(
        Object.keys(environment).filter((name) => !known.includes(name) && !others.includes(name)),
        workload.metadata.name,
      ).toEqual([]);
      const mounted = workload.spec.template.spec.containers[0]?.volumeMounts.some(
        ({ mountPath }) => mountPath === '/etc/stream-infer/configuration',
      );
      expect(environment.STREAM_INFER_CONFIG !== undefined).toBe(mounted);
    }
  });

  test('each runner serves its own algorithms, and all of them are served', async () => {
    const objects = await rendered;
    const text = find(objects, 'ConfigMap', 'site-stream-infer-configuration').data?.['configuration.yaml'] ?? '';
    const { algorithms } = parseConfiguration(parse(text), 'configuration.yaml');
    const served = workloadsOf(objects).flatMap((workload) => environmentOf(workload).SERVE?.split(',') ?? []);
    expect(served.sort()).toEqual(algorithms.map(({ name }) => name).sort());
  });

  test('the command takes the arguments of the job and of what fetches models', async () => {
    const containers = workloadsOf(await rendered)
      .flatMap(({ spec }) => [...(spec.template.spec.initContainers ?? []), ...spec.template.spec.containers])
      .filter(({ image }) => image.includes('stream-infer-tools'));
    expect(containers.length).toBeGreaterThan(0);
    for (const { args = [] } of containers) expect(() => parseCommandLine(args)).not.toThrow();
  });
});

/** What comes from elsewhere stands in for itself. */
const allVariables = ({ spec }: Workload): Record<string, string> =>
  Object.fromEntries(
    (spec.template.spec.containers[0]?.env ?? []).map(({ name, value }) => [name, value ?? 'postgres-1']),
  );

test('the autoscaler asks what it is given by autoscalingQuery', async () => {
  const objects = await render({ files: [exampleFile('production.yaml')] });
  for (const algorithm of ['faces', 'plates']) {
    const { spec } = find(objects, 'ScaledObject', `site-stream-infer-runner-${algorithm}`);
    const { query, threshold } = autoscalingQuery({
      algorithm,
      targetUtilization: 0.7,
      offline: true,
      installation: { namespace: 'vision', prefix: 'stream-infer' },
    });
    expect(spec.triggers).toMatchObject([
      { type: 'prometheus', metricType: 'AverageValue', metadata: { query, threshold, ignoreNullValues: 'false' } },
    ]);
    expect(spec.fallback).toMatchObject({ behavior: 'currentReplicasIfHigher' });
  }
});

test('what may be played is told to those who open it, and to who registers it', async () => {
  const allow = ['network:private', 'files:/srv/videos'];
  const objects = await render({ files: [exampleFile('trial.yaml')], values: { sources: { allow } } });
  const told = workloadsOf(objects).filter((workload) => environmentOf(workload).SOURCES_ALLOW === allow.join());
  expect(told.map(({ metadata }) => metadata.name).sort()).toEqual([
    'site-stream-infer-collector',
    'site-stream-infer-ingest',
  ]);
});

test('rules and dashboards are those of the files, runbooks where they are served, and each series tells its installation', async () => {
  const monitoring = {
    podMonitor: true,
    prometheusRule: true,
    dashboards: true,
    runbookUrl: 'https://wiki.example/r/',
  };
  const objects = await render({
    files: [exampleFile('trial.yaml')],
    values: { monitoring, nats: { prefix: 'north' } },
  });
  const { spec } = find(objects, 'PrometheusRule', 'site-stream-infer-stream-infer');
  const rules = JSON.parse(
    JSON.stringify(RULES).replaceAll('docs/runbooks/', 'https://wiki.example/r/'),
  ) as readonly Rule[];
  expect(spec.groups.flatMap((group) => group.rules)).toEqual(rules);
  for (const each of DASHBOARDS) {
    const { data } = find(objects, 'ConfigMap', `site-stream-infer-dashboard-${each.name}`);
    expect(JSON.parse(data?.[`${each.name}.json`] ?? '')).toEqual(JSON.parse(grafanaDashboard(each)));
  }
  const monitors = ofKind(objects, 'PodMonitor');
  expect(monitors).toHaveLength(4);
  for (const { spec: monitor } of monitors)
    expect(monitor.podMetricsEndpoints[0]?.relabelings).toEqual([{ targetLabel: 'prefix', replacement: 'north' }]);
});

test.each([
  ['creds', 'NATS_CREDS', '.creds'],
  ['nkey', 'NATS_NKEY', '.nk'],
  ['password', 'NATS_PASSWORD_FILE', '.password'],
])('credentials of NATS as %s: each pod has its own and no other', async (credentials, variable, suffix) => {
  const nats = {
    url: 'tls://nats:4222',
    credentialsSecret: 'bus',
    credentials,
    tls: { caSecret: 'ca', certSecret: 'us' },
  };
  const objects = await render({ values: { nats, algorithms: [{ name: 'a', use: 'frame-stats' }] } });
  const services = workloadsOf(objects).filter(({ kind }) => kind !== 'Job');
  expect(services.map(({ metadata }) => metadata.name)).toHaveLength(4);
  for (const workload of services) {
    const key = `${workload.spec.template.metadata.labels['app.kubernetes.io/component']}${suffix}`;
    const secrets = workload.spec.template.spec.volumes.flatMap(({ secret }) => (secret ? [secret] : []));
    expect(secrets).toContainEqual({ secretName: 'bus', defaultMode: 0o440, items: [{ key, path: key }] });
    expect(environmentOf(workload)).toMatchObject({
      [variable]: `/etc/stream-infer/nats/credentials/${key}`,
      NATS_CA: '/etc/stream-infer/nats/ca/ca.crt',
      NATS_CERT: '/etc/stream-infer/nats/cert/tls.crt',
      NATS_KEY: '/etc/stream-infer/nats/cert/tls.key',
    });
  }
});

describe('an algorithm', () => {
  const runner = async (algorithm: object, name = 'a') => {
    const objects = await render({
      files: [exampleFile('trial.yaml')],
      values: { streams: [], algorithms: [{ name: 'a', ...algorithm }] },
    });
    const text = find(objects, 'ConfigMap', 'site-stream-infer-configuration').data?.['configuration.yaml'] ?? '';
    const definition = parseConfiguration(parse(text), 'c').algorithms[0];
    return { definition, pod: findWorkload(objects, `site-stream-infer-runner-${name}`).spec.template.spec };
  };
  const sha256 = 'a'.repeat(64);

  test('whose model has a URL has it fetched and checked before it starts, read-only then', async () => {
    const { definition, pod } = await runner({
      use: 'onnx',
      model: { url: 'https://models.example/m', sha256, authorizationSecret: { name: 't', key: 'k' } },
    });
    expect(definition?.options).toEqual({ model: `/models/cache/${sha256}` });
    expect(pod.initContainers?.[0]).toMatchObject({
      args: ['fetch', 'https://models.example/m', `/models/cache/${sha256}`, '--sha256', sha256],
      env: [{ name: 'STREAM_INFER_FETCH_AUTHORIZATION', valueFrom: { secretKeyRef: { name: 't', key: 'k' } } }],
    });
    expect(pod.containers[0]?.volumeMounts).toContainEqual({
      name: 'models',
      mountPath: '/models/cache',
      readOnly: true,
    });
  });

  test.each([
    [{ configMap: 'small', file: 'm.onnx' }, '/models/configmap-small/m.onnx', { configMap: { name: 'small' } }],
    [
      { persistentVolumeClaim: 'big', file: 'v1/m.onnx' },
      '/models/claim-big/v1/m.onnx',
      { persistentVolumeClaim: { claimName: 'big', readOnly: true } },
    ],
  ])('whose model is there already has it mounted: %j', async (model, path, volume) => {
    const { definition, pod } = await runner({ use: 'onnx', model });
    expect(definition?.options).toEqual({ model: path });
    expect(pod.volumes).toContainEqual(expect.objectContaining(volume));
    const mount = pod.containers[0]?.volumeMounts.find(({ mountPath }) => path.startsWith(`${mountPath}/`));
    expect(mount?.readOnly).toBe(true);
  });

  test('whose model is in an image has it copied out of it', async () => {
    const { definition, pod } = await runner({
      use: 'onnx',
      model: { image: 'registry.example/m:1', file: '/models/m.onnx' },
    });
    const { model: path } = definition?.options ?? {};
    expect(pod.initContainers?.[0]).toMatchObject({
      image: 'registry.example/m:1',
      command: ['cp', '/models/m.onnx', path],
    });
  });

  test('of one’s own is the file of the ConfigMap that is mounted', async () => {
    const { definition, pod } = await runner({ module: { configMap: 'my-algorithms', file: 'counter.mjs' } });
    expect(definition?.use).toBe('/algorithms/my-algorithms/counter.mjs');
    expect(pod.containers[0]?.volumeMounts).toContainEqual(
      expect.objectContaining({ mountPath: '/algorithms/my-algorithms', readOnly: true }),
    );
  });

  test('on a GPU has the device, the class and the image for it, and starts with it alone unless told', async () => {
    const gpu = { resource: 'nvidia.com/mig-1g.5gb', count: 2, runtimeClassName: 'nvidia' };
    const runner = async (require?: boolean) =>
      findWorkload(
        await render({
          files: [exampleFile('trial.yaml')],
          values: {
            streams: [],
            algorithms: [
              {
                name: 'a',
                use: 'onnx',
                runner: { device: 'gpu', gpu: { ...gpu, ...(require !== undefined && { require }) } },
              },
            ],
          },
        }),
        'site-stream-infer-runner-a',
      );
    const workload = await runner();
    const pod = workload.spec.template.spec;
    expect(pod).toMatchObject({
      runtimeClassName: 'nvidia',
      containers: [{ image: expect.stringMatching(/-algo-runner:.*-cuda$/) }],
    });
    expect(pod.containers[0]?.resources.limits).toMatchObject({ 'nvidia.com/mig-1g.5gb': 2, memory: '1Gi' });
    expect(environmentOf(workload)).toMatchObject({ MODEL_DEVICE: 'gpu', REQUIRE_GPU: 'true' });
    expect(environmentOf(await runner(false))).toMatchObject({ MODEL_DEVICE: 'gpu', REQUIRE_GPU: 'false' });
  });

  test('with a name that Kubernetes would not take has one made of it', async () => {
    const objects = await render({
      files: [exampleFile('trial.yaml')],
      values: {
        streams: [],
        algorithms: ['Number_Plates', 'number-plates', 'a'.repeat(64)].map((name) => ({ name, use: 'frame-stats' })),
      },
    });
    const names = objects.filter(({ kind }) => kind === 'Deployment').map(({ metadata }) => metadata.name);
    expect(names).toContain('site-stream-infer-runner-number-plates');
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z0-9-]{1,63}$/);
  });
});
