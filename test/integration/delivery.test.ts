/** Which setbacks of a window count as an attempt, with a real server, scheduler and runner processes. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deadLetters } from '@stream-infer/bus/dead-letters';
import type { DeadLetter } from '@stream-infer/core/dead-letter';
import type { ResultRecord } from '@stream-infer/core/result-record';
import type { StreamAlgorithm } from '@stream-infer/core/stream-spec';
import { specHash } from '@stream-infer/service-kit/spec-hash';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { untilEnded } from '../harness/result-log.ts';
import { readNumbers, schedulerWorld } from '../harness/scheduler-world.ts';
import { startIngest } from '../harness/scripted-ingest.ts';
import type { ScriptedRunner } from '../harness/scripted-runner.ts';
import { type ServiceProcess, startService } from '../harness/service-process.ts';
import { type StallingProxy, startProxy } from '../harness/stalling-proxy.ts';
import { algorithm, sourceFacts, streamSpec } from '../model/specs.ts';

const world = schedulerWorld();

const everyFrame = (differs: Partial<StreamAlgorithm> = {}) =>
  streamSpec({ algorithms: [algorithm({ intervalFrames: 1, timeoutMs: 10_000, ...differs })] });
const failedOf = (records: readonly ResultRecord[]) =>
  records.flatMap(({ n, error, attempts }) => (error ? [{ n, code: error.code, attempts }] : []));

let directory: string;
const started: ServiceProcess[] = [];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-delivery-'));
});
afterEach(async () => {
  for (const { process: left } of started.splice(0)) if (left.exitCode === null) left.kill('SIGKILL');
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** A real runner whose algorithm `a` is this class body. */
async function realRunner(body: string): Promise<ServiceProcess> {
  await writeFile(join(directory, 'a.mjs'), `export default class { ${body} }\n`);
  await writeFile(join(directory, 'algorithms.yaml'), 'algorithms: [{name: a, use: ./a.mjs}]\n');
  const config = { STREAM_INFER_CONFIG: join(directory, 'algorithms.yaml') };
  const runner = await startService('algo-runner', { ...world.environment, ...config });
  started.push(runner);
  return runner;
}

/** Plays so many frames to their end. */
async function play(count: number, differs: Partial<StreamAlgorithm> = {}) {
  const ingest = await startIngest(world.bus, everyFrame(differs), sourceFacts());
  await ingest.play(count);
  await ingest.end();
  return untilEnded(world.bus, 'lobby');
}

describe('an algorithm that throws', () => {
  test('is tried three times, and then its window has an error result (A-3)', async () => {
    await realRunner("run([{ n }]) { if (n === 5) throw new Error('boom'); return n; }");
    const { records, end } = await play(10);
    expect(failedOf(records)).toEqual([{ n: 5, code: 'ALGORITHM_FAILED', attempts: 3 }]);
    expect(end.algorithms.a).toEqual({ triggered: 10, completed: 9, failed: 1, dropped: {} });
  });

  test('is tried as often as maxAttempts says, and what succeeds in time is no error', async () => {
    await realRunner(
      "run([{ n }]) { this.t ??= {}; this.t[n] = (this.t[n] ?? 0) + 1; if (this.t[n] < n) throw new Error('boom'); return n; }",
    );
    const { records } = await play(4, { maxAttempts: 2 });
    expect(failedOf(records)).toEqual([3, 4].map((n) => ({ n, code: 'ALGORITHM_FAILED', attempts: 2 })));
    expect(records.map(({ attempts }) => attempts)).toEqual([1, 2, 2, 2]);
  });

  test('overruns its time like it throws', async () => {
    await realRunner('run([{ n }]) { while (n === 3); return n; }');
    const { records } = await play(4, { timeoutMs: 300, maxAttempts: 2 });
    expect(failedOf(records)).toEqual([{ n: 3, code: 'ALGORITHM_TIMEOUT', attempts: 2 }]);
  });
});

describe('a runner that dies', () => {
  /** Runners one after another; each dies, so long after it was sent window 7, and the next takes its place. */
  async function fragileRunners(afterMs: number, otherMs = 0): Promise<ScriptedRunner[]> {
    const generations: ScriptedRunner[] = [];
    const start = async (): Promise<void> => {
      const fragile = await world.runner({
        ...world.reader(`fragile${generations.length}`),
        answer: async (invocation) => {
          await new Promise((resolve) => setTimeout(resolve, invocation.n === 7 ? afterMs : otherMs));
          if (invocation.n !== 7) return readNumbers(world.bus, invocation);
          fragile.kill();
          await start();
          return undefined;
        },
      });
      generations.push(fragile);
    };
    await start();
    return generations;
  }

  test('counts for a window that it held alone', async () => {
    const generations = await fragileRunners(0);
    const { records } = await play(12, { maxInFlight: 1 });
    expect(failedOf(records)).toEqual([{ n: 7, code: 'RUNNER_LOST', attempts: 3 }]);
    expect(generations).toHaveLength(4);
  });

  test('counts for none of several, and the one that kills it is found: it alone is an error (A-2)', async () => {
    const generations = await fragileRunners(250, 100);
    const { records, end } = await play(20);
    expect(failedOf(records)).toEqual([{ n: 7, code: 'RUNNER_LOST', attempts: 5 }]);
    expect(end.algorithms.a).toEqual({ triggered: 20, completed: 19, failed: 1, dropped: {} });
    // The last three deaths had no company.
    for (const { received } of generations.slice(2, 5)) expect(received.at(-1)?.n).toBe(7);
  });

  test('as a process, by kill -9, counts for the window that it ran alone', async () => {
    let kills = 0;
    const kill = async (): Promise<void> => {
      const runner = await realRunner(
        'async run([{ n }]) { if (n === 2) process.kill(process.pid, "SIGKILL"); return n; }',
      );
      runner.process.once('exit', () => {
        kills += 1;
        void kill();
      });
    };
    await kill();
    const { records } = await play(3, { maxInFlight: 1, maxAttempts: 2 });
    expect(failedOf(records)).toEqual([{ n: 2, code: 'RUNNER_LOST', attempts: 2 }]);
    expect(kills).toBe(2);
    await eventually('the runner in its place has started', () => started.length === 3);
    started.at(-1)?.process.removeAllListeners('exit');
  });
});

describe('what is not the fault of the window does not count', () => {
  test('a network that breaks: the runner lives (A-1)', async () => {
    const proxies: StallingProxy[] = [];
    let cuts = 0;
    await world.runner({
      ...world.reader('far'),
      advertise: async (port) => {
        proxies.push(await startProxy(port));
        return proxies[0]?.address ?? '';
      },
      answer: async (invocation) => {
        if (invocation.n !== 2 || cuts === 4) return readNumbers(world.bus, invocation);
        cuts += 1;
        proxies[0]?.cut();
        return undefined;
      },
    });
    const { records } = await play(3, { maxInFlight: 1, maxAttempts: 2 });
    expect(records.map(({ error, attempts }) => [error, attempts])).toEqual([
      [undefined, 1],
      [undefined, 5],
      [undefined, 1],
    ]);
    await proxies[0]?.close();
  });

  test('a runner that drains and ends before it has answered', async () => {
    const draining = await world.runner({
      ...world.reader('draining'),
      answer: () => {
        draining.drain();
        setTimeout(() => draining.kill(), 200);
        return undefined;
      },
    });
    const ingest = await startIngest(world.bus, everyFrame({ maxInFlight: 1, maxAttempts: 1 }), sourceFacts());
    await ingest.play(2);
    await ingest.end();
    await eventually('it was asked', () => draining.received.length === 1);
    await world.runner(world.reader('other'));
    const { records } = await untilEnded(world.bus, 'lobby');
    expect(records.map(({ error, attempts }) => [error, attempts])).toEqual([
      [undefined, 2],
      [undefined, 1],
    ]);
  });

  test('a runner that drains, and a bus that fails it', async () => {
    const codes = ['NOT_STARTED', 'BUS_FAILED', 'NOT_STARTED', 'BUS_FAILED'];
    await world.runner({
      ...world.reader('one'),
      answer: (invocation) => {
        const code = invocation.n === 2 ? codes.shift() : undefined;
        return code ? { code, notStarted: code === 'NOT_STARTED' } : readNumbers(world.bus, invocation);
      },
    });
    const { records } = await play(3, { maxAttempts: 1 });
    expect(records.map(({ error, attempts }) => [error, attempts])).toEqual([
      [undefined, 1],
      [undefined, 5],
      [undefined, 1],
    ]);
  });
});

describe('a dead letter', () => {
  const letters = async (): Promise<DeadLetter[]> => {
    const found: DeadLetter[] = [];
    for await (const { letter } of deadLetters(world.bus, 1_000)) found.push(letter);
    return found;
  };

  test('is kept of each window whose result is an error, and counted (A-4)', async () => {
    await world.runner({
      ...world.reader('one'),
      answer: (invocation) =>
        invocation.n % 4 === 0 ? { code: 'ALGORITHM_FAILED' } : readNumbers(world.bus, invocation),
    });
    const { records } = await play(8, { maxAttempts: 2, frameCount: 2, frameStep: 1 });
    expect(failedOf(records).map(({ n }) => n)).toEqual([4, 8]);
    const kept = await letters();
    expect(kept.map(({ n }) => n)).toEqual([4, 8]);
    const [first] = kept;
    expect(first).toMatchObject({
      stream: 'lobby',
      run: 'r1',
      algorithm: 'a',
      definition: 'a',
      key: records[2]?.key,
      mode: 'offline',
      window: [
        { n: 3, sourceIndex: 2 },
        { n: 4, sourceIndex: 3, timestampMs: 100 },
      ],
      error: { code: 'ALGORITHM_FAILED', message: 'scripted ALGORITHM_FAILED' },
      attempts: 2,
    });
    const spec = everyFrame({ frameCount: 2, frameStep: 1 });
    expect(first?.specHash).toBe(specHash(spec));
    await eventually('it is over', async () => (await world.scheduler.ledger()).lobby?.algorithms?.a?.open === 0);
    expect((await world.scheduler.ledger()).lobby?.algorithms?.a?.fates['dead-lettered']).toBe(2);
  });

  test('stands once and in its place though the scheduler was succeeded (A-5)', async () => {
    await world.runner({
      ...world.reader('one'),
      answer: (invocation) =>
        invocation.n % 2 === 0 ? { code: 'ALGORITHM_FAILED' } : readNumbers(world.bus, invocation),
    });
    const ingest = await startIngest(world.bus, everyFrame({ maxAttempts: 1 }), sourceFacts());
    const playing = ingest.play(400);
    await eventually('a quarter has failed', async () => (await letters()).length > 50);
    const { process } = world.scheduler;
    const exited = new Promise((resolve) => process.once('exit', resolve));
    process.kill('SIGKILL');
    await exited;
    await world.startScheduler();
    await playing;
    await ingest.end();
    const { records } = await untilEnded(world.bus, 'lobby');
    const failed = failedOf(records).map(({ n }) => n);
    expect(failed).toHaveLength(200);
    expect((await letters()).map(({ n }) => n)).toEqual(failed);
  });

  test('tells of a realtime window too', async () => {
    await world.runner({ ...world.reader('one'), answer: () => ({ code: 'ALGORITHM_FAILED' }) });
    const algorithms = [algorithm({ intervalFrames: 1, maxAttempts: 1 })];
    const ingest = await startIngest(world.bus, streamSpec({ mode: 'realtime', algorithms }), sourceFacts());
    await ingest.play(3, 50);
    await ingest.end();
    const { records } = await untilEnded(world.bus, 'lobby');
    expect(records.length).toBeGreaterThan(0);
    const told = (await letters()).map(({ n, mode }) => [n, mode]);
    expect(told).toEqual(records.map(({ n }) => [n, 'realtime']));
  });
});
