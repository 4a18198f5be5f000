/** What a runner tells about itself, and how it leaves. */

import { once } from 'node:events';
import { openRunners } from '@stream-infer/bus/registry';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { conversing, ECHO, startRunner, type TestRunner } from '../harness/runner.ts';
import { dataOf, faultOf, invocationOf, RunnerCaller } from '../harness/runner-caller.ts';

const CONFIGURATION = `
algorithms:
  - {name: echo, use: ./echo.mjs}
  - {name: slow, use: ./echo.mjs, options: {holdMs: 400}}
  - {name: wide, use: ./echo.mjs, concurrency: 3}
  - {name: stats, use: frame-stats}
`;

let runner: TestRunner;
let caller: RunnerCaller;

beforeAll(async () => {
  runner = await startRunner({ configuration: CONFIGURATION, files: { 'echo.mjs': ECHO } });
  caller = new RunnerCaller(runner.grpcAddress).hello();
});
afterAll(async () => {
  caller?.close();
  await runner?.stop();
});

describe('a runner', () => {
  test('registers what it serves and beats (G-1)', async () => {
    const runners = await openRunners(runner.bus);
    const [entry] = await runners.entries();
    const counted = expect.stringMatching(/^[0-9a-f]{12}$/);
    expect(entry?.value).toMatchObject({
      id: entry?.key,
      address: runner.grpcAddress,
      algorithms: [
        { definition: 'echo', version: 'echo-1', concurrency: 1 },
        { definition: 'slow', version: 'echo-1', concurrency: 1 },
        { definition: 'wide', version: 'echo-1', concurrency: 3, maxBatch: 1 },
        { definition: 'stats', version: counted, concurrency: 1 },
      ],
    });
    const { beat } = entry?.value ?? { beat: 0 };
    await eventually('another beat', async () => ((await runners.entries())[0]?.value.beat ?? 0) > beat);
  });

  test('tells what it serves (G-11)', async () => {
    const described = await new Promise((resolve, reject) => {
      caller.client.describe({}, (error, response) => (error ? reject(error) : resolve(response)));
    });
    expect(described).toMatchObject({
      runner: expect.stringMatching(/^[A-Za-z0-9_-]+$/),
      algorithms: expect.arrayContaining([{ definition: 'wide', version: 'echo-1', concurrency: 3, maxBatch: 1 }]),
    });
  });

  test.each(['', 'stream_infer.v1.AlgoRunnerService'])('answers grpc.health.v1 for "%s" (G-11)', async (service) => {
    expect(await healthOf(caller, service)).toBe('SERVING');
  });

  test('counts what it did and shows its workers and credits', async () => {
    await caller.ask(invocationOf('echo', 1));
    await caller.ask(invocationOf('echo', 2));
    caller.invoke(invocationOf('slow', 1));
    caller.invoke(invocationOf('slow', 2));
    caller.cancel('cam/r1/slow/2/1');
    await caller.result('cam/r1/slow/1/1');
    const counted = (outcome: string, algorithm: string): Promise<number> =>
      runner.metric(new RegExp(`runner_invocations_total\\{algorithm="${algorithm}",outcome="${outcome}".* (\\d+)`));
    expect(await counted('ok', 'echo')).toBe(2);
    expect(await counted('ok', 'slow')).toBe(1);
    expect(await counted('not_started', 'slow')).toBe(1);
    expect(await runner.metric(/runner_run_seconds_count\{.*algorithm="echo".* (\d+)/)).toBe(2);
    expect(await runner.metric(/runner_fetch_seconds_count\{.*algorithm="echo".* (\d+)/)).toBe(2);
    expect(await runner.metric(/runner_queue_seconds_count\{.*algorithm="slow".* (\d+)/)).toBe(2);
    expect(await runner.metric(/runner_workers\{algorithm="wide",state="idle".* (\d+)/)).toBe(3);
    expect(await runner.metric(/runner_credits\{algorithm="stats".* (\d+)/)).toBe(2);
  });

  test('writes what an algorithm logs, and nothing on standard error that is not its log', () => {
    const lines = runner.process.log().trim().split('\n');
    const logged = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(logged).toContainEqual(
      expect.objectContaining({ level: 'info', algorithm: 'echo', really: true, msg: 'echo is ready' }),
    );
  });

  test('serves only what it is told to', async () => {
    const other = await runner.another({ SERVE: 'echo, stats' });
    try {
      await conversing(other, async (talk) => {
        talk.hello();
        await eventually('credits', () => Object.keys(talk.granted).length === 2);
        expect(talk.granted).toEqual({ echo: 2, stats: 2 });
      });
    } finally {
      await other.stop();
    }
  });

  test('that drains says so, finishes what runs, gives back the rest, deregisters and ends with 0 (G-1, G-6)', async () => {
    const other = await runner.another();
    const runners = await openRunners(runner.bus);
    await eventually('both are registered', async () => (await runners.entries()).length === 2);
    await conversing(other, async (talk) => {
      talk.hello();
      talk.invoke(invocationOf('slow', 1));
      talk.invoke(invocationOf('slow', 2));
      await eventually('credits', () => talk.granted.slow === 2);
      const exited = once(other.process, 'exit');
      other.process.kill('SIGTERM');
      expect(faultOf(await talk.result('cam/r1/slow/2/1'))).toMatchObject({ code: 'NOT_STARTED', notStarted: true });
      expect(talk.heard.some(({ message }) => message?.$case === 'draining')).toBe(true);
      talk.invoke(invocationOf('echo', 3));
      expect(faultOf(await talk.result('cam/r1/echo/3/1'))).toMatchObject({ notStarted: true });
      expect((await runners.entries()).map(({ value }) => value.address)).toEqual([runner.grpcAddress]);
      expect(dataOf(await talk.result('cam/r1/slow/1/1'))).toMatchObject({ n: 1 });
      expect(await eventually('the end', () => talk.ended)).toEqual({ code: 0, details: 'OK' });
      expect(await exited).toEqual([0, null]);
    });
  });
});

/** What grpc.health.v1 says: message HealthCheckRequest {string service = 1}, HealthCheckResponse {enum status = 1}. */
async function healthOf({ client }: RunnerCaller, service: string): Promise<string | undefined> {
  const request = Buffer.from([0x0a, service.length, ...Buffer.from(service)]);
  const response = await new Promise<Buffer | undefined>((resolve, reject) => {
    client.makeUnaryRequest<Buffer, Buffer>(
      '/grpc.health.v1.Health/Check',
      (bytes) => bytes,
      (bytes) => bytes,
      request,
      (error, answer) => (error ? reject(error) : resolve(answer)),
    );
  });
  return ['UNKNOWN', 'SERVING', 'NOT_SERVING'][response?.[1] ?? 0];
}
