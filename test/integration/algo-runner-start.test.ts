/** What keeps a runner from starting: its code, its exit status, and a message that names the culprit; before it registers. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { openRunners } from '@stream-infer/bus/registry';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasCuda } from '../harness/cuda.ts';
import { startNatsServer, type TestNatsServer } from '../harness/nats-server.ts';
import { startService } from '../harness/service-process.ts';
import { constantModel } from '../harness/tiny-onnx.ts';

const FILES: Readonly<Record<string, string | Uint8Array>> = {
  'syntax.mjs': 'export default class A {\n  run( { return 1 }\n}\n',
  'syntax.ts': 'export default class A {\n  run(frames: number {\n}\n',
  'enum.ts': 'export default class A { run() {} }\nenum Colour { Red }\n',
  'imports-syntax.mjs': "import './syntax.mjs';\nexport default class A { run() {} }\n",
  'imports-missing.mjs': "import './nowhere.mjs';\nexport default class A { run() {} }\n",
  'throws.mjs': "\nthrow new Error('no camera today');\n",
  'named.mjs': 'export class Counter { run() {} }\nexport const helper = 1;\n',
  'empty.mjs': '',
  'object.mjs': 'export default { run() {} };\n',
  'arrow.mjs': 'export default () => 1;\n',
  'no-run.mjs': 'export default class A { start() {} }\n',
  'constructor.mjs': "export default class A {\n  constructor() { throw new Error('no room'); }\n  run() {}\n}\n",
  'init.mjs': "export default class A {\n  init() {\n    throw new RangeError('bad weights');\n  }\n  run() {}\n}\n",
  'init-exits.mjs': 'export default class A {\n  init() { process.exit(9); }\n  run() {}\n}\n',
  'text.txt': 'hello',
  'corrupt.onnx': 'this is no model',
  'shape.onnx': constantModel({ name: 'input', shape: [1, 3, 8, 8] }, [
    { name: 'scores', shape: [1, 2], data: new Float32Array(2) },
  ]),
};

let nats: TestNatsServer;
let bus: Bus;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-start-'));
  for (const [name, content] of Object.entries(FILES)) await writeFile(join(directory, name), content);
  nats = await startNatsServer();
  bus = await connectBus({ url: nats.url, prefix: 'stream-infer', name: 'test' });
});
afterAll(async () => {
  await bus?.close();
  await nats?.stop();
  await rm(directory, { recursive: true, force: true });
});

let configurations = 0;

/** Starts a runner that must not start, and tells how it ended. */
async function failure(
  algorithm: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<{ status: number; fatal: { code: string; msg: string }; stderr: string }> {
  configurations += 1;
  const path = join(directory, `${configurations}.yaml`);
  await writeFile(path, `algorithms:\n  - {name: sound, use: frame-stats}\n  - {name: culprit, ${algorithm}}\n`);
  const started = startService('algo-runner', { NATS_URL: nats.url, STREAM_INFER_CONFIG: path, ...environment });
  const error = await started.then(
    async (service) => {
      await service.stop();
      throw new Error(`started with ${algorithm}`);
    },
    (reason: unknown) => reason as Error,
  );
  const [, status = '', stderr = ''] = /^algo-runner ended with (\S+): (.*)$/s.exec(error.message) ?? [];
  const lines = stderr.trim().split('\n');
  return { status: Number(status), fatal: JSON.parse(lines.at(-1) ?? '') as { code: string; msg: string }, stderr };
}

describe('a runner does not start', () => {
  test.each([
    [
      'use: ./nowhere.mjs',
      'MODULE_NOT_FOUND',
      /"culprit" uses \.\/nowhere\.mjs, and \/.*\/nowhere\.mjs does not exist/,
    ],
    [
      'use: onnx-detectr',
      'MODULE_NOT_FOUND',
      /"culprit" uses onnx-detectr, which is no built-in and no file: did you mean onnx-detector\?/,
    ],
    ['use: ./text.txt', 'MODULE_NOT_FOUND', /text\.txt is not a module/],
    ['use: .', 'MODULE_NOT_FOUND', /is not a module/],
    ['use: ./syntax.mjs', 'MODULE_BROKEN', /syntax\.mjs does not load: .*\(at \/.*\/syntax\.mjs:2:\d+\)/],
    ['use: ./syntax.ts', 'MODULE_BROKEN', /syntax\.ts does not load: .*\(at \/.*\/syntax\.ts:2:\d+\)/],
    ['use: ./enum.ts', 'MODULE_BROKEN', /enum is not supported.*\(at \/.*\/enum\.ts:2(:\d+)?\)/],
    [
      'use: ./imports-syntax.mjs',
      'MODULE_BROKEN',
      /imports-syntax\.mjs does not load: .*\(in a module that it imports\)/,
    ],
    [
      'use: ./imports-missing.mjs',
      'MODULE_BROKEN',
      /Cannot find module '.*nowhere\.mjs' imported from .*imports-missing/,
    ],
    ['use: ./throws.mjs', 'MODULE_BROKEN', /no camera today \(at \/.*\/throws\.mjs:2:7\)/],
    ['use: ./named.mjs', 'MODULE_NO_DEFAULT_EXPORT', /has no default export \(it exports Counter, helper\)/],
    ['use: ./empty.mjs', 'MODULE_NO_DEFAULT_EXPORT', /empty\.mjs exports nothing/],
    ['use: ./object.mjs', 'MODULE_NO_DEFAULT_EXPORT', /exports object as its default/],
    ['use: ./arrow.mjs', 'MODULE_NO_DEFAULT_EXPORT', /a function that is no class/],
    ['use: ./no-run.mjs', 'MODULE_NO_DEFAULT_EXPORT', /has no run method \(it has start\)/],
    [
      'use: ./constructor.mjs',
      'ALGORITHM_INIT_FAILED',
      /its constructor threw: no room \(at \/.*constructor\.mjs:2:\d+\)/,
    ],
    ['use: ./init.mjs', 'ALGORITHM_INIT_FAILED', /"culprit": init threw: bad weights \(at \/.*\/init\.mjs:3:\d+\)/],
    ['use: ./init-exits.mjs', 'ALGORITHM_INIT_FAILED', /ended in init: process\.exit\(9\) was called/],
    ['use: onnx-detector', 'ALGORITHM_OPTIONS', /model is missing/],
    ['use: onnx-detector, options: {model: no.onnx, family: yolox}', 'MODEL_NOT_FOUND', /\/no\.onnx does not exist/],
    [
      'use: onnx-detector, options: {model: corrupt.onnx, family: yolox}',
      'MODEL_CORRUPT',
      /corrupt\.onnx does not load/,
    ],
    ['use: onnx-detector, options: {model: shape.onnx, family: yolox}', 'MODEL_SHAPE', /shape\.onnx/],
    [
      'use: frame-stats, maxBatch: 4',
      'BATCH_UNSUPPORTED',
      /"culprit" \(frame-stats\) has no runBatch, so its maxBatch of 4 cannot be/,
    ],
    [
      'use: byte-track, maxBatch: 4',
      'BATCH_UNSUPPORTED',
      /"culprit" \(byte-track\) remembers its stream, .*: its maxBatch is 4, set maxBatch: 1/,
    ],
  ])('with {%s}: %s', async (algorithm, code, message) => {
    const { status, fatal, stderr } = await failure(algorithm);
    expect(fatal).toMatchObject({ code, level: 'fatal' });
    expect(fatal.msg).toMatch(message);
    expect(status).toBe(2);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test('where its port is taken', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    try {
      const { status, fatal } = await failure('use: frame-stats', { GRPC_PORT: port });
      expect(fatal).toMatchObject({ code: 'PORT_IN_USE', msg: expect.stringContaining(port) });
      expect(status).toBe(4);
    } finally {
      await new Promise((resolve) => taken.close(resolve));
    }
  });

  test('where it is to serve what nobody defines', async () => {
    const { status, fatal } = await failure('use: frame-stats', { SERVE: 'sound,nobody' });
    expect(fatal).toMatchObject({ code: 'CONFIG_UNKNOWN_ALGORITHM', msg: expect.stringContaining('nobody') });
    expect(status).toBe(2);
  });

  test.skipIf(hasCuda)('where it requires a GPU and has none', async () => {
    const use = 'use: onnx, options: {model: shape.onnx, device: gpu}';
    const { status, fatal } = await failure(use, { REQUIRE_GPU: 'true' });
    expect(fatal).toMatchObject({ code: 'GPU_UNAVAILABLE', msg: expect.stringContaining('shape.onnx does not load') });
    expect(status).toBe(4);
  });

  test('without a bus', async () => {
    const { status, fatal } = await failure('use: frame-stats', { NATS_URL: 'nats://user:secret@127.0.0.1:1' });
    expect(fatal.code).toBe('NATS_UNREACHABLE');
    expect(fatal.msg).not.toContain('secret');
    expect(status).toBe(4);
  });

  test('and none of these was ever in the registry', async () => {
    expect(await (await openRunners(bus)).entries()).toEqual([]);
  });
});

test.skipIf(hasCuda)('a runner that wants a GPU and has none runs its models on the CPU, and says so', async () => {
  const path = join(directory, 'fallback.yaml');
  await writeFile(path, 'algorithms:\n  - {name: shape, use: onnx, options: {model: shape.onnx}}\n');
  const environment = { NATS_URL: nats.url, STREAM_INFER_CONFIG: path, MODEL_DEVICE: 'gpu' };
  const runner = await startService('algo-runner', environment);
  const metrics = await (await fetch(`${runner.addresses.http}/metrics`)).text();
  await runner.stop();
  expect(metrics).toMatch(/^stream_infer_runner_device\{.*algorithm="shape",device="cpu",fallback="true".*\} 1$/m);
  expect(metrics).toMatch(/^stream_infer_faults_total\{.*code="GPU_FALLBACK".*\} 1$/m);
  expect(runner.log()).toMatch(
    /"level":"warn".*"algorithm":"shape","code":"GPU_FALLBACK","msg":"algorithm \\"shape\\"/,
  );
});
