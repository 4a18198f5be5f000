/**
 * Modules that mean harm, in a runner whose container has what the chart gives one, on a network that reaches nothing else: each costs its own
 * windows, and what the runner serves besides has the results of a run without them.
 */

import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { eventually } from '../harness/eventually.ts';
import { root } from '../harness/programs.ts';
import type { ServiceProcess } from '../harness/service-process.ts';
import { imageName, inImage, type Limits, startContainer } from './engine.ts';
import { type KeptContainer, keepContainer, type Pod, startPod } from './pod.ts';

const MEBIBYTE = 2 ** 20;
const HARMLESS = ['bright', 'shapes'];

/** What the chart has of a runner's memory; processes are the kubelet's to limit (podPidsLimit). */
async function runnerLimits(): Promise<Limits> {
  const values = parse(await readFile(join(root, 'deploy', 'k8s', 'stream-infer', 'values.yaml'), 'utf8')) as {
    readonly runners: { readonly resources: { readonly limits: { readonly memory: string } } };
  };
  const [, gibibytes] = /^(\d+)Gi$/.exec(values.runners.resources.limits.memory) ?? [];
  return { memoryBytes: Number(gibibytes) * 1024 * MEBIBYTE, processes: 256 };
}

const FILES: Readonly<Record<string, string>> = {
  'configuration.yaml': `algorithms:
  - {name: bright, use: ./bright.mjs, interval: 2}
  - {name: shapes, use: onnx-detector, interval: 2, options: {model: /models/shapes.onnx, labels: /models/labels.txt, family: yolov8}}
  - {name: writes, use: ./writes.mjs, interval: 5}
  - {name: calls, use: ./calls.mjs, interval: 5}
  - {name: heap, use: ./heap.mjs, interval: 5, timeoutMs: 60000, maxAttempts: 2}
  - {name: buffers, use: ./buffers.mjs, interval: 5, timeoutMs: 60000, maxAttempts: 2}
  - {name: forks, use: ./forks.mjs, interval: 5, timeoutMs: 3000, maxAttempts: 2}
`,
  'bright.mjs': `export default class {
  run(frames) { return { sum: frames.at(-1).data.reduce((sum, value) => sum + value, 0) }; }
}`,
  // Its own folder of temporary files is the one place that takes anything.
  'writes.mjs': `import { writeFileSync } from 'node:fs';
export default class {
  run() {
    writeFileSync('/tmp/mine', 'allowed');
    const refused = [];
    for (const path of ['/app/services/algo-runner/src/main.js', '/etc/passwd', '/usr/local/bin/node', '/algorithms/x.mjs', '/models/x', '/etc/stream-infer/x', '/x', '/var/x']) {
      try { writeFileSync(path, 'x', { flag: 'a' }); } catch (error) { refused.push(error.code); continue; }
      return { wrote: path };
    }
    throw new Error('refused: ' + [...new Set(refused)].sort());
  }
}`,
  'calls.mjs': `import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
const reach = (port, host) => new Promise((resolve) => {
  const socket = connect({ port, host, timeout: 5000 });
  socket.once('connect', () => { socket.destroy(); resolve('reached'); });
  socket.once('timeout', () => { socket.destroy(); resolve('silent'); });
  socket.once('error', (error) => resolve(error.code));
});
export default class {
  async run() {
    const bus = new URL(process.env.NATS_URL);
    const told = [
      Object.keys(networkInterfaces()).join(),
      await reach(bus.port, bus.hostname),
      await reach(443, '192.0.2.1'),
      await lookup('models.example').then(() => 'known', (error) => error.code),
    ];
    throw new Error('has ' + told.join(' '));
  }
}`,
  'heap.mjs': `export default class {
  run() { for (const taken = []; ; ) taken.push({ of: 'heap', n: taken.length }); }
}`,
  'buffers.mjs': `export default class {
  run() {
    const taken = [];
    while (taken.length < 128) taken.push(Buffer.alloc(${64 * MEBIBYTE}, 1));
    return { taken: taken.length };
  }
}`,
  'forks.mjs': `import { spawn } from 'node:child_process';
import { setImmediate } from 'node:timers/promises';
export default class {
  async run() {
    for (;;) {
      spawn('sleep', ['600'], { stdio: 'ignore' }).on('error', () => {});
      await setImmediate();
    }
  }
}`,
};

type StoredRecord = {
  readonly algorithm: string;
  readonly n: number;
  readonly data?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
};

let directory: string;
let pod: Pod;
let runner: KeptContainer;
const services: ServiceProcess[] = [];
let api: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-hostile-'));
  for (const [name, content] of Object.entries(FILES)) await writeFile(join(directory, name), content);
  await chmod(directory, 0o755);
  const limits = await runnerLimits();
  await assertLimited(limits);
  pod = await startPod();
  const options = {
    network: pod.network,
    environment: {
      NATS_URL: pod.nats.url,
      STREAM_INFER_CONFIG: '/etc/stream-infer/configuration.yaml',
      SOURCES_ALLOW: 'files:/models',
    },
    mounts: { [directory]: '/etc/stream-infer', [join(root, 'examples', 'demo')]: '/models' },
  };
  runner = await keepContainer('algo-runner', { ...options, limits });
  services.push(await startContainer('collector', { ...options, writable: ['/data'] }));
  api = services[0]?.addresses.api ?? '';
  services.push(await startContainer('scheduler', options), await startContainer('ingest', options));
});
afterAll(async () => {
  await runner?.stop();
  await Promise.all(services.map((service) => service.stop()));
  await pod?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** An engine that sets no limits lets nothing loose. */
async function assertLimited(limits: Limits): Promise<void> {
  const script = `cd /sys/fs/cgroup
    cat memory.max memory/memory.limit_in_bytes pids.max pids/pids.max 2>/dev/null || true`;
  const set = (await inImage(imageName('algo-runner'), script, { limits })).trim().split('\n');
  if (set.join() !== [limits.memoryBytes, limits.processes].join())
    throw new Error(`the engine limits a container to ${set.join()}`);
}

/** Plays the clip, and tells what is stored of it, by algorithm, once it has ended. */
async function play(stream: string, algorithms: readonly string[]): Promise<Map<string, StoredRecord[]>> {
  const body = JSON.stringify({ id: stream, source: '/models/demo.mp4', algorithms });
  const headers = { 'content-type': 'application/json' };
  expect(await pod.call(`${api}/v1/streams`, { method: 'POST', headers, body })).toMatchObject({ status: 201 });
  await eventually(
    `${stream} has ended`,
    async () =>
      (JSON.parse((await pod.call(`${api}/v1/streams/${stream}`)).text) as { state: string }).state === 'ended',
    240_000,
  );
  const { text } = await pod.call(`${api}/v1/streams/${stream}/records`, {
    headers: { accept: 'application/x-ndjson' },
  });
  const records = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as StoredRecord);
  return Map.groupBy(records, ({ algorithm }) => algorithm);
}

describe('beside a module that', () => {
  let calm: Map<string, StoredRecord[]>;

  beforeAll(async () => {
    calm = await play('calm', HARMLESS);
  });

  test.each([
    {
      does: 'writes outside its temporary folder',
      algorithm: 'writes',
      code: 'ALGORITHM_FAILED',
      says: /refused: EACCES,EROFS$/,
      ends: [],
    },
    {
      does: 'calls elsewhere',
      algorithm: 'calls',
      code: 'ALGORITHM_FAILED',
      says: /has lo reached ENETUNREACH EAI_AGAIN$/,
      ends: [],
    },
    { does: 'fills its heap', algorithm: 'heap', code: 'ALGORITHM_FAILED', says: /reaching memory limit/, ends: [] },
    // Killed for its memory, and no other window with it for good.
    { does: 'takes 8 GiB', algorithm: 'buffers', code: 'RUNNER_LOST', says: /died/, ends: [137] },
    // THREAD_REFUSED, and what it started ends with its container.
    { does: 'forks without end', algorithm: 'forks', code: 'ALGORITHM_TIMEOUT', says: /timeoutMs/, ends: [4] },
  ])(
    '$does others have the results of a run without it',
    async ({ algorithm, code, says, ends }) => {
      const before = runner.ends.length;
      const records = await play(algorithm, [...HARMLESS, algorithm]);
      const failed = records.get(algorithm) ?? [];
      expect(failed.length).toBeGreaterThan(1);
      for (const { error } of failed) expect(error).toMatchObject({ code, message: expect.stringMatching(says) });
      const without = (kept: StoredRecord[] = []) => kept.map(({ n, data }) => ({ n, data }));
      for (const one of HARMLESS) expect(without(records.get(one))).toEqual(without(calm.get(one)));
      expect([...new Set(runner.ends.slice(before))]).toEqual(ends);
    },
    300_000,
  );
});
