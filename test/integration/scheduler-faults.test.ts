import { publishResult } from '@stream-infer/bus/result-stream';
import { canonicalJson } from '@stream-infer/core/canonical-json';
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

const reader = (id: string): ScriptedRunnerOptions => ({
  id,
  definitions: ['a'],
  answer: (invocation) => readNumbers(world.bus, invocation),
});

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
    await world.runner(reader('other'));
    await ingest.play(40);
    await ingest.end();
    const { records, end } = await untilEnded(world.bus, 'lobby');
    expect(numbersOf(records)).toEqual(upTo(50));
    expect(records.map(({ attempts }) => attempts)).toEqual(upTo(50).map((n) => (n <= 5 ? 2 : 1)));
    expect(end.algorithms.a).toEqual({ triggered: 50, completed: 50, failed: 0, dropped: {} });
  });

  test('that falls silent without a word is given up within seconds', async () => {
    const { runner, proxy } = await proxied({ id: 'silent', definitions: ['a'], answer: never });
    const ingest = await startIngest(world.bus, everyFrame(), sourceFacts());
    await ingest.play(5);
    await ingest.end();
    await eventually('it holds invocations', () => runner.received.length === 2);
    proxy.stall();
    const began = performance.now();
    await world.runner(reader('other'));
    const { records } = await untilEnded(world.bus, 'lobby');
    expect(numbersOf(records)).toEqual(upTo(5));
    expect(performance.now() - began).toBeLessThan(10_000);
    await proxy.close();
  });

  test('whose connection breaks is connected anew', async () => {
    const { runner, proxy } = await proxied(reader('one'));
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

  test('that dies of a window does so three times, and that window alone is an error', async () => {
    const poison = 7;
    const connections: StallingProxy[] = [];
    await world.runner({
      ...reader('fragile'),
      advertise: async (port) => {
        const proxy = await startProxy(port);
        connections.push(proxy);
        return proxy.address;
      },
      answer: async (invocation) => {
        if (invocation.n !== poison) return readNumbers(world.bus, invocation);
        connections[0]?.cut();
        return undefined;
      },
    });
    const ingest = await startIngest(world.bus, everyFrame(1), sourceFacts());
    await ingest.play(12);
    await ingest.end();
    const { records, end } = await untilEnded(world.bus, 'lobby');
    expect(numbersOf(records)).toEqual(upTo(12));
    expect(records[poison - 1]).toMatchObject({ attempts: 3, error: { code: 'RUNNER_LOST' }, version: '' });
    expect(records.filter(({ error }) => error !== undefined)).toHaveLength(1);
    expect(end.algorithms.a).toEqual({ triggered: 12, completed: 11, failed: 1, dropped: {} });
    await connections[0]?.close();
  });

  test('that drains gets nothing new, and what it gives back goes elsewhere', async () => {
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
    await world.runner(reader('other'));
    await ingest.end();
    const { records } = await untilEnded(world.bus, 'lobby');
    expect(numbersOf(records)).toEqual(upTo(10));
    expect(records.every(({ error }) => error === undefined)).toBe(true);
    expect(draining.received.length).toBeLessThanOrEqual(2);
  });

  test('whose bus fails it is asked again; what fails for good is an error result, and the run goes on', async () => {
    let failures = 0;
    await world.runner({
      ...reader('one'),
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

describe('a scheduler', () => {
  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'that ends by %s is succeeded: no result twice, none missing, one ledger',
    async (signal) => {
      await world.runner({
        ...reader('one'),
        answer: async (invocation) => {
          if (invocation.n % 10 === 0) return { code: 'ALGORITHM_FAILED' };
          return readNumbers(world.bus, invocation);
        },
      });
      const ingest = await startIngest(world.bus, everyFrame(), sourceFacts());
      const playing = ingest.play(400);
      await eventually('half is published', async () => (await resultLog(world.bus)).records.length > 150);
      const { process } = world.scheduler;
      const exited = new Promise<number | null>((resolve) => process.once('exit', resolve));
      process.kill(signal);
      expect(await exited).toBe(signal === 'SIGTERM' ? 0 : null);
      await world.startScheduler();
      await playing;
      await ingest.end();
      const { records, end } = await untilEnded(world.bus, 'lobby');
      expect(numbersOf(records)).toEqual(upTo(400));
      expect(end.algorithms.a).toEqual({ triggered: 400, completed: 360, failed: 40, dropped: {} });
      expect(end.fault).toBeNull();
    },
  );

  test('finds what another has published in its place, and goes on behind it', async () => {
    const gate = Promise.withResolvers<void>();
    const runner = await world.runner({
      ...reader('one'),
      answer: async (invocation) => {
        await gate.promise;
        return readNumbers(world.bus, invocation);
      },
    });
    const ingest = await startIngest(world.bus, everyFrame(), sourceFacts());
    await ingest.play(3);
    await eventually('it is asked', () => runner.received.length === 2);
    const record = { stream: 'lobby', run: 'r1', algorithm: 'a', n: 1, data: 'another' };
    await publishResult(world.bus, record, new TextEncoder().encode(canonicalJson(record)), 0);
    gate.resolve();
    await ingest.end();
    const { records } = await untilEnded(world.bus, 'lobby');
    expect(records.map(({ n, data }) => [n, data])).toEqual([
      [1, 'another'],
      [2, { numbers: [2] }],
      [3, { numbers: [3] }],
    ]);
  });
});

describe('a run', () => {
  test('that goes on in another epoch takes back what was under way, and repeats no result', async () => {
    let epoch = 0;
    const runner = await world.runner({
      ...reader('one'),
      concurrency: 4,
      answer: (invocation) => {
        const content = invocation.window?.frames[0]?.content;
        const isFirst = content?.$case === 'reference' && content.value.jetstream.endsWith(`_${epoch}`);
        return invocation.n > 20 && isFirst ? never() : readNumbers(world.bus, invocation);
      },
    });
    const first = await startIngest(world.bus, everyFrame(), sourceFacts());
    epoch = first.run.epoch;
    await first.play(30);
    await eventually('20 are published', async () => (await resultLog(world.bus)).records.length === 20);
    const second = await startIngest(world.bus, everyFrame(), sourceFacts());
    await second.play(60);
    await second.end();
    const { records, end } = await untilEnded(world.bus, 'lobby');
    expect(numbersOf(records)).toEqual(upTo(60));
    expect(end.algorithms.a).toEqual({ triggered: 60, completed: 60, failed: 0, dropped: {} });
    expect(runner.cancelled.length).toBeGreaterThan(0);
  });

  test('is finished though the stream plays anew already', async () => {
    const gate = Promise.withResolvers<void>();
    await world.runner({
      ...reader('one'),
      answer: async (invocation) => {
        if (invocation.run === 'r1') await gate.promise;
        return readNumbers(world.bus, invocation);
      },
      concurrency: 4,
    });
    const first = await startIngest(world.bus, everyFrame(2), sourceFacts());
    await first.play(10);
    await first.end();
    const second = await startIngest(world.bus, everyFrame(2), sourceFacts(), 'r2');
    await second.play(10);
    await second.end();
    expect(numbersOf((await untilEnded(world.bus, 'lobby', 'r2')).records)).toEqual(upTo(10));
    gate.resolve();
    const { records, end } = await untilEnded(world.bus, 'lobby');
    expect(numbersOf(records)).toEqual(upTo(10));
    expect(end.fault).toBeNull();
  });

  test('whose source was abandoned for a younger run ends with what came', async () => {
    await world.runner(reader('one'));
    const first = await startIngest(world.bus, everyFrame(), sourceFacts());
    await first.play(10);
    await startIngest(world.bus, everyFrame(), sourceFacts(), 'r2');
    const { records, end } = await untilEnded(world.bus, 'lobby');
    expect(numbersOf(records)).toEqual(upTo(10));
    expect(end.fault?.code).toBe('SOURCE_LOST');
  });
});

test('metrics show the ledger, and what is over is no longer under way', async () => {
  await world.runner({ ...reader('one'), answer: ({ n }) => (n === 60 ? { code: 'ALGORITHM_FAILED' } : { data: 1 }) });
  const ingest = await startIngest(world.bus, streamSpec(), sourceFacts());
  await ingest.play(90);
  await eventually(
    'it is connected',
    async () => (await world.scheduler.metric('stream_infer_runners_connected')) === 1,
  );
  await ingest.end();
  await untilEnded(world.bus, 'lobby');
  const text = await (await fetch(`${world.scheduler.addresses.http}/metrics`)).text();
  const labels = 'stream="lobby",algorithm="a"';
  for (const line of [
    `stream_infer_invocations_triggered_total{${labels},service="scheduler"} 3`,
    `stream_infer_invocations_total{${labels},outcome="completed",service="scheduler"} 2`,
    `stream_infer_invocations_total{${labels},outcome="failed",service="scheduler"} 1`,
    `stream_infer_results_published_total{${labels},service="scheduler"} 3`,
    `stream_infer_result_latency_seconds_count{service="scheduler",${labels}} 3`,
  ])
    expect(text).toContain(line);
  expect(text).not.toContain(`stream_infer_windows_waiting{${labels}`);
});
