/** Dead letters of a system that runs, as a person reads them, with the services as processes of their own. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { openStreams } from '@stream-infer/bus/registry';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { streamInfer } from '../harness/command.ts';
import { eventually } from '../harness/eventually.ts';
import { startNatsServer, type TestNatsServer } from '../harness/nats-server.ts';
import { type ServiceName, type ServiceProcess, startService } from '../harness/service-process.ts';
import { algorithm, streamSpec } from '../model/specs.ts';

const video = join(import.meta.dirname, '..', 'conformance', 'videos', 'counter30.mp4');
const NAMES: readonly ServiceName[] = ['ingest', 'scheduler', 'algo-runner', 'collector'];

/** Fails while the file is there, on windows whose newest frame is a multiple of 60. */
const FLAKY = `
import { existsSync } from 'node:fs';
export default class {
  run(frames, { options, stream, resolvePath }) {
    const numbers = frames.map(({ n }) => n);
    if (numbers.at(-1) % 60 === 0 && existsSync(resolvePath(options.broken))) throw new Error('the model is missing');
    return { stream, numbers };
  }
}`;

const spec: StreamSpec = streamSpec({
  source: video,
  algorithms: [algorithm({ name: 'named', definition: 'flaky', interval: '1', frameCount: 3, frameStep: 5 })],
});

let nats: TestNatsServer;
let bus: Bus;
let directory: string;
let api: string;
const services: ServiceProcess[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-letters-'));
  await writeFile(join(directory, 'flaky.mjs'), FLAKY);
  await writeFile(join(directory, 'broken'), '');
  const configuration = join(directory, 'algorithms.yaml');
  await writeFile(configuration, 'algorithms: [{name: flaky, use: ./flaky.mjs, options: {broken: ./broken}}]\n');
  nats = await startNatsServer();
  const environment = {
    NATS_URL: nats.url,
    STREAM_INFER_CONFIG: configuration,
    STORE_PATH: join(directory, 'results.sqlite'),
  };
  const started = await Promise.all(NAMES.map(async (name) => startService(name, environment)));
  services.push(...started);
  api = started.at(-1)?.addresses.api ?? '';
  bus = await connectBus({ url: nats.url, prefix: 'stream-infer', name: 'test' });
  await (await openStreams(bus)).put('lobby', spec);
  await untilOver('lobby');
});
afterAll(async () => {
  await Promise.all(services.map((service) => service.stop()));
  await bus?.close();
  await nats?.stop();
  await rm(directory, { recursive: true, force: true });
});

const untilOver = (stream: string): Promise<unknown> =>
  eventually(`the run of ${stream} has ended`, async () => {
    const response = await fetch(`${api}/v1/streams/${stream}`);
    return response.ok && ((await response.json()) as { state: string }).state === 'ended';
  });

const letters = (...args: string[]) =>
  streamInfer(['dead-letters', ...args], { environment: { NATS_URL: nats.url, NATS_PREFIX: undefined } });

describe('dead letters', () => {
  test('are listed, and each is shown', async () => {
    const listed = await letters('list');
    expect(listed.stdout.trim().split('\n')).toHaveLength(1 + 5);
    expect(listed.stdout).toMatch(/^1 +lobby +named +2 s +3 .*ALGORITHM_FAILED: .*the model/m);
    const shown = await letters('show', '2');
    expect(shown.stdout).toMatch(/named \(flaky\)/);
    expect(shown.stdout).toContain('110 (source frame 109), 115 (source frame 114), 120 (source frame 119)');
    const { deadLetters } = JSON.parse((await letters('show', '2', '--json')).stdout) as { deadLetters: object[] };
    expect(deadLetters).toMatchObject([{ id: 2, stream: 'lobby', n: 120, attempts: 3 }]);
  });

  test('that are not there are told of in one line', async () => {
    expect(await letters('show', '99')).toEqual({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(/^DEAD_LETTER_NOT_FOUND: there is no dead letter 99.*\n$/),
    });
    expect(await letters('list', '--nats', 'nats://user:secret@127.0.0.1:9')).toEqual({
      status: 4,
      stdout: '',
      stderr: expect.stringMatching(/^NATS_UNREACHABLE: (?!.*secret)/),
    });
  });
});
