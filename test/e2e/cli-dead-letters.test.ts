/** Dead letters of a system that runs, as a person reads them, with the services as processes of their own. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { deadLetter, publishDeadLetter } from '@stream-infer/bus/dead-letters';
import { openRuns, openStreams } from '@stream-infer/bus/registry';
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

describe('a replay', () => {
  type Results = Readonly<Record<string, unknown>>;
  const results = async (): Promise<Results> =>
    ((await (await fetch(`${api}/v1/streams/lobby/results`)).json()) as { named: Results }).named;
  const ids = async (): Promise<number[]> => {
    const { deadLetters } = JSON.parse((await letters('list', '--json')).stdout) as { deadLetters: { id: number }[] };
    return deadLetters.map(({ id }) => id);
  };
  const failed = { $error: { code: 'ALGORITHM_FAILED', message: expect.stringContaining('the model is missing') } };

  test('of what is not mended says so, and keeps the letter and the error (A-6)', async () => {
    const { status, stdout } = await letters('replay', '2');
    expect(stdout).toMatch(/^2 +lobby +named +4 s +failed again: ALGORITHM_FAILED: .*the model is missing$/m);
    expect(status).toBe(1);
    expect(await ids()).toEqual([1, 2, 3, 4, 5]);
    expect(await results()).toMatchObject({ '4': failed });
  });

  test('of what is mended puts the success in the place of the error, and of nothing else (EX-6, A-6)', async () => {
    const before = await results();
    expect(before).toMatchObject({ '2': failed, '6': failed, '10': failed });
    await rm(join(directory, 'broken'));
    const { status, stdout } = await letters('replay', '3', '1');
    expect(stdout).toMatch(/^1 +lobby +named +2 s +mended$/m);
    expect(stdout).toMatch(/^3 +lobby +named +6 s +mended$/m);
    expect(status).toBe(0);
    expect(await ids()).toEqual([2, 4, 5]);
    const success = (...numbers: number[]) => ({ stream: 'lobby', numbers });
    const after = await eventually('both are stored', async () => {
      const stored = await results();
      return !JSON.stringify([stored['2'], stored['6']]).includes('$error') && stored;
    });
    expect(after).toEqual({ ...before, '2': success(50, 55, 60), '6': success(170, 175, 180) });
    expect(Object.keys(after)).toHaveLength(10);
  });

  test('leaves nothing behind, and is no stream to anybody', async () => {
    expect((await (await openStreams(bus)).entries()).map(({ key }) => key)).toEqual(['lobby']);
    expect((await (await openRuns(bus)).entries()).map(({ key }) => key)).toEqual(['lobby']);
    const listed = (await (await fetch(`${api}/v1/streams`)).json()) as { streams: { stream: string }[] };
    expect(JSON.stringify(listed)).not.toContain('replay');
    await eventually('no frame buffer is left', async () => {
      const names: string[] = [];
      for await (const name of bus.manager.streams.names()) names.push(name);
      return !names.some((name) => name.includes('FRAMES'));
    });
  });

  test('of frames that are gone is refused', async () => {
    const stored = await deadLetter(bus, 2);
    if (stored === undefined) throw new Error('letter 2 is gone');
    const live = await publishDeadLetter(bus, { ...stored.letter, mode: 'realtime', run: 'live' }, 0);
    const other = await publishDeadLetter(bus, { ...stored.letter, specHash: 'other', run: 'other' }, 0);
    const refused = (id: number, why: RegExp) => ({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(new RegExp(`^REPLAY_IMPOSSIBLE: dead letter ${id} .*${why.source}.*\\n$`)),
    });
    expect(await letters('replay', String(live))).toEqual(refused(live, /played in realtime/));
    expect(await letters('replay', '2', String(other))).toEqual(refused(other, /plays otherwise now/));
    expect(await ids()).toContain(2);
  });

  test('of all mends what it can, and says what it cannot', async () => {
    const { status, stdout } = await letters('replay', '--all');
    expect(stdout.match(/ mended$/gm)).toHaveLength(3);
    expect(stdout).toMatch(/REPLAY_IMPOSSIBLE/);
    expect(stdout).toMatch(/^1 dead letter is of a realtime stream and cannot be replayed/m);
    expect(status).toBe(1);
    await eventually('no error is left', async () => !JSON.stringify(await results()).includes('$error'));
  });
});
