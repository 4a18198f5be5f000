/** What a change of the values restarts: what it is about, and nothing else. */

import { expect, test } from 'vitest';
import { exampleFile, find, findWorkload, render } from '../harness/chart.ts';
import { workloadsOf } from '../harness/kubernetes-object.ts';

const BASE = {
  nats: { embedded: { enabled: true } },
  cameraSecrets: ['cameras'],
  algorithms: [
    { name: 'faces', use: 'frame-stats', interval: 1 },
    { name: 'plates', use: 'frame-stats', interval: 1 },
  ],
  streams: [{ id: 'gate-1', sourceFrom: { cameraSecret: 'gate-1' }, algorithms: ['faces'] }],
};

/** Pod templates by workload, of what is not a hook. */
async function templates(values: object): Promise<Record<string, string>> {
  const objects = await render({ values: { ...BASE, ...values } });
  return Object.fromEntries(
    workloadsOf(objects).map(({ metadata, spec }) => [
      metadata.name.replace('site-stream-infer-', ''),
      JSON.stringify(spec.template),
    ]),
  );
}

async function restarted(values: object): Promise<string[]> {
  const [before, after] = await Promise.all([templates({}), templates(values)]);
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => before[name] !== after[name])
    .sort();
}

test('a stream that is added, changed or removed restarts nothing, and is applied', async () => {
  const stream = { id: 'gate-2', sourceFrom: { cameraSecret: 'gate-2' }, fps: 5 };
  expect(await restarted({ streams: [...BASE.streams, stream] })).toEqual([]);
  expect(await restarted({ streams: [] })).toEqual([]);
  const objects = await render({ values: { ...BASE, streams: [stream] } });
  expect(find(objects, 'ConfigMap', 'site-stream-infer-streams').data?.['streams.yaml']).toContain('gate-2');
  expect(find(objects, 'Job', 'site-stream-infer-streams').metadata.annotations).toMatchObject({
    'helm.sh/hook': 'post-install,post-upgrade,post-rollback',
  });
});

test('a hundred streams add ingests, and restart none', async () => {
  const streams = Array.from({ length: 100 }, (_, at) => ({ id: `gate-${at}`, source: `rtsp://camera/${at}` }));
  expect(await restarted({ streams })).toEqual([]);
  const ingest = find(await render({ values: { ...BASE, streams } }), 'Deployment', 'site-stream-infer-ingest');
  expect(ingest.spec.replicas).toBe(3);
});

test('a changed algorithm restarts its runner alone; a new one gets a runner and restarts nobody', async () => {
  const [faces, plates] = BASE.algorithms;
  expect(await restarted({ algorithms: [{ ...faces, interval: 2 }, plates] })).toEqual(['runner-faces']);
  expect(await restarted({ algorithms: [faces, { ...plates, runner: { concurrency: 2 } }] })).toEqual([
    'runner-plates',
  ]);
  expect(await restarted({ algorithms: [...BASE.algorithms, { name: 'more', use: 'frame-stats' }] })).toEqual([
    'runner-more',
  ]);
});

test('what only schedulers read of an algorithm restarts no runner', async () => {
  const [faces, plates] = BASE.algorithms;
  expect(await restarted({ algorithms: [{ ...faces, autoscaling: { expectedMs: 8 } }, plates] })).toEqual([]);
});

test('a setting restarts its service alone', async () => {
  expect(await restarted({ ingest: { settings: { stallMs: 20_000 } } })).toEqual(['ingest']);
  expect(await restarted({ scheduler: { resources: { limits: { memory: '4Gi' } } } })).toEqual(['scheduler']);
});

test('camera Secrets are mounted whole, so that a key more changes no pod', async () => {
  const ingest = findWorkload(
    await render({ values: { ...BASE, cameraSecrets: ['north', 'south'] } }),
    'site-stream-infer-ingest',
  );
  const volume = ingest.spec.template.spec.volumes.find(({ name }) => name === 'cameras');
  expect(volume?.projected).toEqual({
    defaultMode: 0o440,
    sources: [{ secret: { name: 'north', optional: true } }, { secret: { name: 'south', optional: true } }],
  });
});

test('the same values give the same bytes', async () => {
  const values = { files: [exampleFile('production.yaml')] };
  expect(await render(values)).toEqual(await render(values));
});
