import type { ResultRecord } from '@stream-infer/core/result-record';
import { describe, expect, test } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { resultLog, untilEnded } from '../harness/result-log.ts';
import { readNumbers, schedulerWorld } from '../harness/scheduler-world.ts';
import { startIngest } from '../harness/scripted-ingest.ts';
import type { ScriptedRunnerOptions } from '../harness/scripted-runner.ts';
import { type StallingProxy, startProxy } from '../harness/stalling-proxy.ts';
import { algorithm, sourceFacts, streamSpec } from '../model/specs.ts';

const world = schedulerWorld();

const everyFrame = (maxInFlight = 8) => streamSpec({ algorithms: [algorithm({ intervalFrames: 1, maxInFlight })] });
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
const numbersOf = (records: readonly ResultRecord[]): number[] => records.map(({ n }) => n);
const never = (): Promise<undefined> => new Promise(() => undefined);

async function proxied(options: Omit<ScriptedRunnerOptions, 'advertise'>) {
  const proxies: StallingProxy[] = [];
  const advertise = async (port: number): Promise<string> => {
    const proxy = await startProxy(port);
    proxies.push(proxy);
    return proxy.address;
  };
  const runner = await world.runner({ ...options, advertise });
  const [proxy] = proxies;
  if (proxy === undefined) throw new Error('no proxy');
  return { runner, proxy };
}

describe('a runner', () => {
  test('that dies loses nothing: what it held goes to another', async () => {
    const dying = await world.runner({ id: 'dying', definitions: ['a'], concurrency: 4, answer: never });
    const ingest = await startIngest(world.bus, everyFrame(), sourceFacts());
    await ingest.play(10);
    await eventually('it holds invocations', () => dying.received.length === 5);
    dying.kill();
    await world.runner(world.reader('other'));
    await ingest.play(40);
    await ingest.end();
    const { records, end } = await untilEnded(world.bus, 'lobby');
    expect(numbersOf(records)).toEqual(upTo(50));
    expect(records.map(({ attempts }) => attempts)).toEqual(upTo(50).map((n) => (n <= 5 ? 2 : 1)));
    expect(end.algorithms.a).toEqual({ triggered: 50, completed: 50, failed: 0, dropped: {} });
  });

  test('that falls silent without a word is given up within seconds (G-10)', async () => {
    const { runner, proxy } = await proxied({ id: 'silent', definitions: ['a'], answer: never });
    const ingest = await startIngest(world.bus, everyFrame(), sourceFacts());
    await ingest.play(5);
    await ingest.end();
    await eventually('it holds invocations', () => runner.received.length === 2);
    proxy.stall();
    const began = performance.now();
    await world.runner(world.reader('other'));
    const { records } = await untilEnded(world.bus, 'lobby');
    expect(numbersOf(records)).toEqual(upTo(5));
    expect(performance.now() - began).toBeLessThan(5_000);
    await proxy.close();
  });

  test('that is well is not given up by a scheduler that stood still itself', async () => {
    const runner = await world.runner(world.reader('one'));
    const ingest = await startIngest(world.bus, everyFrame(), sourceFacts());
    await ingest.play(5);
    await eventually('five are answered', async () => (await resultLog(world.bus)).records.length === 5);
    const { process } = world.scheduler;
    process.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    process.kill('SIGCONT');
    await ingest.play(5);
    await ingest.end();
    const { records } = await untilEnded(world.bus, 'lobby');
    expect(numbersOf(records)).toEqual(upTo(10));
    expect(runner.received).toHaveLength(10);
    expect(await world.scheduler.metric('stream_infer_runner_conversations_broken_total')).toBe(0);
  });

  test('that lives and does not answer is out after the time limit of the invocation, which goes to another (G-13)', async () => {
    const deaf = await world.runner({ id: 'deaf', definitions: ['a'], answer: never });
    const algorithms = [algorithm({ intervalFrames: 1, timeoutMs: 200 })];
    const ingest = await startIngest(world.bus, streamSpec({ algorithms }), sourceFacts());
    await ingest.play(5);
    await ingest.end();
    await eventually('it holds invocations', () => deaf.received.length === 2);
    await world.runner(world.reader('other'));
    const { records } = await untilEnded(world.bus, 'lobby');
    expect(records.map(({ n, attempts, error }) => [n, attempts, error])).toEqual(
      upTo(5).map((n) => [n, n <= 2 ? 2 : 1, undefined]),
    );
    expect(world.scheduler.log()).toContain('was not answered in time');
  });

  test('whose connection breaks is connected anew', async () => {
    const { runner, proxy } = await proxied(world.reader('one'));
    const ingest = await startIngest(world.bus, everyFrame(), sourceFacts());
    await ingest.play(5);
    await eventually('five are answered', async () => (await resultLog(world.bus)).records.length === 5);
    proxy.cut();
    await ingest.play(5);
    await ingest.end();
    expect(numbersOf((await untilEnded(world.bus, 'lobby')).records)).toEqual(upTo(10));
    expect(runner.received.length).toBeGreaterThanOrEqual(10);
    await proxy.close();
  });

  test('that drains gets nothing new, and what it gives back goes elsewhere (G-6)', async () => {
    const draining = await world.runner({
      id: 'draining',
      definitions: ['a'],
      answer: async () => {
        draining.drain();
        return { code: 'NOT_STARTED', notStarted: true };
      },
    });
    const ingest = await startIngest(world.bus, everyFrame(), sourceFacts());
    await ingest.play(10);
    await eventually('it was asked', () => draining.received.length > 0);
    await world.runner(world.reader('other'));
    await ingest.end();
    const { records } = await untilEnded(world.bus, 'lobby');
    expect(numbersOf(records)).toEqual(upTo(10));
    expect(records.every(({ error }) => error === undefined)).toBe(true);
    expect(draining.received.length).toBeLessThanOrEqual(2);
  });

  test('whose bus fails it is asked again; what fails for good is an error result, and the run goes on', async () => {
    let failures = 0;
    await world.runner({
      ...world.reader('one'),
      answer: async (invocation) => {
        if (invocation.n === 3 && failures < 2) {
          failures += 1;
          return { code: 'BUS_FAILED' };
        }
        if (invocation.n === 5) return { code: 'ALGORITHM_FAILED' };
        if (invocation.n === 6) return { code: 'SOMETHING_OF_ITS_OWN' };
        return readNumbers(world.bus, invocation);
      },
    });
    const ingest = await startIngest(world.bus, everyFrame(), sourceFacts());
    await ingest.play(8);
    await ingest.end();
    const { records, end } = await untilEnded(world.bus, 'lobby');
    expect(numbersOf(records)).toEqual(upTo(8));
    expect(records[2]).toMatchObject({ attempts: 3, data: { numbers: [3] } });
    expect(records[4]?.error).toEqual({ code: 'ALGORITHM_FAILED', message: 'scripted ALGORITHM_FAILED' });
    expect(records[5]?.error?.message).toContain('SOMETHING_OF_ITS_OWN');
    expect(end.algorithms.a).toEqual({ triggered: 8, completed: 6, failed: 2, dropped: {} });
  });
});
