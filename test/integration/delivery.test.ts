/** Which setbacks of a window count as an attempt, with a real server, scheduler and runner processes. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ResultRecord } from '@stream-infer/core/result-record';
import type { StreamAlgorithm } from '@stream-infer/core/stream-spec';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { untilEnded } from '../harness/result-log.ts';
import { readNumbers, schedulerWorld } from '../harness/scheduler-world.ts';
import { startIngest } from '../harness/scripted-ingest.ts';
import type { ScriptedRunner, ScriptedRunnerOptions } from '../harness/scripted-runner.ts';
import { type ServiceProcess, startService } from '../harness/service-process.ts';
import { type StallingProxy, startProxy } from '../harness/stalling-proxy.ts';
import { algorithm, sourceFacts, streamSpec } from '../model/specs.ts';

const world = schedulerWorld();

const everyFrame = (differs: Partial<StreamAlgorithm> = {}) =>
  streamSpec({ algorithms: [algorithm({ intervalFrames: 1, timeoutMs: 10_000, ...differs })] });
const failedOf = (records: readonly ResultRecord[]) =>
  records.flatMap(({ n, error, attempts }) => (error ? [{ n, code: error.code, attempts }] : []));

const reader = (id: string): ScriptedRunnerOptions => ({
  id,
  definitions: ['a'],
  answer: (invocation) => readNumbers(world.bus, invocation),
});

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
        ...reader(`fragile${generations.length}`),
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
      ...reader('far'),
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

  test('a runner that drains, and a bus that fails it', async () => {
    const codes = ['NOT_STARTED', 'BUS_FAILED', 'NOT_STARTED', 'BUS_FAILED'];
    await world.runner({
      ...reader('one'),
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
