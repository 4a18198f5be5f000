/** The pipeline in its containers, as an operator runs it: four services, a stream applied by the command, results out of the API. */

import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { startNatsServer, type TestNatsServer } from '../harness/nats-server.ts';
import { root } from '../harness/programs.ts';
import type { ServiceName, ServiceProcess } from '../harness/service-process.ts';
import { imageName, inspectImage, runContainer, startContainer } from './engine.ts';

const NAMES: readonly ServiceName[] = ['ingest', 'scheduler', 'algo-runner', 'collector'];

let nats: TestNatsServer;
let directory: string;
const services = new Map<ServiceName, ServiceProcess>();
const mounts = (): Readonly<Record<string, string>> => ({
  [directory]: '/etc/stream-infer',
  [join(root, 'examples', 'demo')]: '/models',
});

beforeAll(async () => {
  // The containers' user is another than ours.
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-images-'));
  await writeFile(
    join(directory, 'config.yaml'),
    `algorithms:
  - {name: shapes, use: onnx-detector, interval: 1, options: {model: /models/shapes.onnx, labels: /models/labels.txt, family: yolov8}}
  - {name: bright, use: ./bright.ts, interval: 1}
`,
  );
  await writeFile(
    join(directory, 'bright.ts'),
    `import type { Algorithm, Frame } from '@stream-infer/algorithm';
export default class Bright implements Algorithm {
  run(frames: readonly Frame[]) { return { pixels: frames.length * (frames[0]?.data.length ?? 0) }; }
}
`,
  );
  await writeFile(
    join(directory, 'streams.yaml'),
    'streams:\n  - {id: demo, source: /models/demo.mp4, algorithms: [shapes, bright]}\n',
  );
  await chmod(directory, 0o755);
  nats = await startNatsServer();
  const environment = {
    NATS_URL: nats.url,
    STREAM_INFER_CONFIG: '/etc/stream-infer/config.yaml',
    SOURCES_ALLOW: 'files:/models',
  };
  const start = async (name: ServiceName): Promise<void> => {
    const writable = name === 'collector' ? ['/data'] : [];
    services.set(name, await startContainer(name, { environment, mounts: mounts(), writable }));
  };
  await Promise.all(NAMES.map(start));
});
afterAll(async () => {
  await Promise.all([...services.values()].map((service) => service.stop()));
  await nats?.stop();
  await rm(directory, { recursive: true, force: true });
});

const http = (name: ServiceName, path: string): Promise<Response> =>
  fetch(`${services.get(name)?.addresses.http}${path}`);

const tools = (...args: readonly string[]) =>
  runContainer(imageName('tools'), args, {
    environment: { STREAM_INFER_API: services.get('collector')?.addresses.api ?? '' },
    mounts: mounts(),
  });

describe('the pipeline in containers', () => {
  test.each(NAMES)('%s is live and ready', async (name) => {
    await eventually(`${name} is ready`, async () => (await http(name, '/v2/health/ready')).status === 200);
    expect((await http(name, '/v2/health/live')).status).toBe(200);
  });

  test('plays a stream that the command applies, through a model and a module of its own', async () => {
    const applied = await tools('streams', 'apply', '/etc/stream-infer/streams.yaml', '--owner', 'helm/test');
    expect(applied.stderr).toBe('');
    expect(applied.status).toBe(0);
    const api = services.get('collector')?.addresses.api;
    await eventually('the run has ended', async () => {
      const status = (await (await fetch(`${api}/v1/streams/demo`)).json()) as { state: string };
      return status.state === 'ended';
    });
    const results = (await (await fetch(`${api}/v1/streams/demo/results`)).json()) as Record<
      string,
      Record<string, { readonly labels?: readonly string[]; readonly pixels?: number }>
    >;
    const keys = Object.keys(results.shapes ?? {});
    expect(keys.length).toBeGreaterThan(3);
    expect(Object.keys(results.bright ?? {})).toEqual(keys);
    const labels = Object.values(results.shapes ?? {}).flatMap((found) => found.labels ?? []);
    expect(new Set(labels).size).toBeGreaterThan(1);
    for (const { pixels = 0 } of Object.values(results.bright ?? {})) expect(pixels).toBeGreaterThan(0);
  });

  test('tells of a command that cannot be done, with its status', async () => {
    const { status, stderr } = await tools('streams', 'show', 'nobody');
    expect(stderr).toContain('UNKNOWN_STREAM');
    expect(status).toBe(2);
  });

  test.each(NAMES)('%s drains on SIGTERM and exits 0', async (name) => {
    expect(await services.get(name)?.stop()).toBe(0);
  });
});

const cuda = imageName('algo-runner', '-cuda');
describe.skipIf(inspectImage(cuda) === undefined)('CUDA without a GPU (needs the image algo-runner-cuda)', () => {
  const environment = (more: Readonly<Record<string, string>>) => ({
    ...{ NATS_URL: nats.url, STREAM_INFER_CONFIG: '/etc/stream-infer/config.yaml', MODEL_DEVICE: 'gpu', ...more },
  });

  test('runs on the CPU, and says so', async () => {
    const runner = await startContainer('algo-runner', { environment: environment({}), mounts: mounts() }, cuda);
    const metrics = await (await fetch(`${runner.addresses.http}/metrics`)).text();
    expect(await runner.stop()).toBe(0);
    expect(metrics).toMatch(/^stream_infer_runner_device\{.*algorithm="shapes",device="cpu",fallback="true".*\} 1$/m);
    // What is in the way is the device, and nothing of the image.
    expect(runner.log()).not.toMatch(/Failed to load shared library/);
    expect(runner.log()).toMatch(/GPU_FALLBACK/);
  });

  test('does not start where it requires one', async () => {
    const started = startContainer(
      'algo-runner',
      { environment: environment({ REQUIRE_GPU: 'true' }), mounts: mounts() },
      cuda,
    );
    await expect(started).rejects.toThrow(/ended with 4: .*GPU_UNAVAILABLE/s);
  });
});
