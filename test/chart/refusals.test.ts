/** Values that are wrong are refused before anything is installed, with a message that names the key. */

import { expect, test } from 'vitest';
import { exampleFile, HELMS, template } from '../harness/chart.ts';

const STATS = { name: 'stats', use: 'frame-stats' };
const CAMERA = { id: 'gate', source: 'rtsp://camera/1' };
const SHA256 = 'a'.repeat(64);

test.each<[string, Record<string, unknown>]>([
  ["at '/ingest/replicas': got string", { ingest: { replicas: 'two' } }],
  ["at '/ingest': additional properties 'replica' not allowed", { ingest: { replica: 2 } }],
  ["at '': additional properties 'steams' not allowed", { steams: [] }],
  ["at '/ingest/settings': additional properties 'stalMs' not allowed", { ingest: { settings: { stalMs: 1 } } }],
  ["at '/algorithms/0': additional properties 'intervall' not allowed", { algorithms: [{ ...STATS, intervall: 1 }] }],
  [
    "at '/algorithms/0/runner': additional properties 'maxbatch' not allowed",
    { algorithms: [{ ...STATS, runner: { maxbatch: 2 } }] },
  ],
  ["at '/streams/0/mode'", { streams: [{ ...CAMERA, mode: 'live' }] }],
  ["at '/streams/0/id'", { streams: [{ ...CAMERA, id: 'gate 1' }] }],
  ["at '/autoscaling/kind'", { autoscaling: { kind: 'vpa' } }],
  ["at '/store/kind'", { store: { kind: 'mysql' } }],
  ['sha256', { algorithms: [{ name: 'a', use: 'onnx', model: { url: 'https://m.example', sha256: 'abc' } }] }],
  ['algorithms is empty', { algorithms: [] }],
  ['algorithms[0] and algorithms[1] are both named stats', { algorithms: [STATS, STATS] }],
  ['algorithms[0] (a): give use', { algorithms: [{ name: 'a' }] }],
  [
    'algorithms[0] (a): model and options.model',
    {
      algorithms: [
        { name: 'a', use: 'onnx', options: { model: 'm' }, model: { url: 'https://m.example', sha256: SHA256 } },
      ],
    },
  ],
  ['algorithms[0] (stats): give one of interval', { algorithms: [{ ...STATS, interval: 1, after: 'stats' }] }],
  ['algorithms[1].after names face', { algorithms: [STATS, { name: 'b', use: 'byte-track', after: 'face' }] }],
  ['streams[1].algorithms[0] is face', { streams: [CAMERA, { id: 'b', source: 'rtsp://c/1', algorithms: ['face'] }] }],
  ['streams[0] and streams[1] both have the id gate', { streams: [CAMERA, CAMERA] }],
  [
    'streams[0] (gate): source holds credentials',
    { streams: [{ id: 'gate', source: 'rtsp://admin:secret@camera/1' }] },
  ],
  ['streams[0] (gate): give source or sourceFrom', { streams: [{ id: 'gate' }] }],
  ['cameraSecrets lists no Secret', { streams: [{ id: 'gate', sourceFrom: { cameraSecret: 'gate' } }] }],
  ['nats.url is empty', { nats: { embedded: { enabled: false } } }],
  ['nats.url and nats.embedded.enabled', { nats: { url: 'nats://nats:4222' } }],
  ['nats.embedded.enabled is for trials', { nats: { credentialsSecret: 'bus' } }],
  ['nats.url holds credentials', { nats: { embedded: { enabled: false }, url: 'nats://me:secret@nats:4222' } }],
  ['collector.auth.tokenSecret.name is empty', { collector: { auth: { tokensSecret: 'tokens' } } }],
  ['grpc.tls.schedulerSecret and grpc.tls.runnerSecret', { grpc: { tls: { runnerSecret: 'runner' } } }],
  ['store.urlSecret.name is empty', { store: { kind: 'postgres' } }],
  ['models.cache.claimName is empty', { models: { cache: { kind: 'claim' } } }],
  ['collector.ingress.hosts is empty', { collector: { ingress: { enabled: true } } }],
  ['minReplicas is 0, which takes kind keda', { autoscaling: { enabled: true, kind: 'hpa', minReplicas: 0 } }],
  ['minReplicas is 20, more than maxReplicas', { autoscaling: { enabled: true, minReplicas: 20 } }],
  [
    'runnerGroup light say different things of runner.replicas',
    {
      algorithms: [
        { ...STATS, runnerGroup: 'light', runner: { replicas: 2 } },
        { name: 'b', use: 'frame-stats', runnerGroup: 'light', runner: { replicas: 3 } },
      ],
    },
  ],
])('%s', async (message, values) => {
  const outcomes = await Promise.all(
    HELMS.map((helm) => template({ files: [exampleFile('trial.yaml')], values }, helm)),
  );
  for (const { status, stdout, stderr } of outcomes) {
    expect(stderr).toContain(message);
    expect(status).not.toBe(0);
    expect(stdout).toBe('');
    expect(stderr).not.toContain('secret@');
  }
});
