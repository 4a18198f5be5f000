/** What a test of the scheduler needs around it: a server for the file; a bus, a scheduler and runners for each test. */

import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { fetchFrame } from '@stream-infer/bus/frame-fetcher';
import type { Invocation } from '@stream-infer/proto/stream_infer/v1/invocation';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { startNatsServer, type TestNatsServer } from './nats-server.ts';
import { frameNumber } from './scripted-ingest.ts';
import { type Outcome, type ScriptedRunner, type ScriptedRunnerOptions, startRunner } from './scripted-runner.ts';
import { startTestScheduler, type TestScheduler } from './test-scheduler.ts';

export type SchedulerWorld = {
  readonly bus: Bus;
  readonly scheduler: TestScheduler;
  /** Where another service of this test finds the bus. */
  readonly environment: Readonly<Record<'NATS_URL' | 'NATS_PREFIX', string>>;
  /** A runner to be that serves `a`, and answers with the numbers of the frames that it reads. */
  reader(id: string): ScriptedRunnerOptions;
  /** Stopped with the test. */
  runner(options: ScriptedRunnerOptions): Promise<ScriptedRunner>;
  /** One more of them, or the next; stopped with the test. */
  startScheduler(): Promise<TestScheduler>;
};

/** To be called at the top of a file; what it returns is for use within tests. */
export function schedulerWorld(environment: Readonly<Record<string, string>> = {}): SchedulerWorld {
  let server: TestNatsServer;
  let bus: Bus;
  let prefix = '';
  let tests = 0;
  const schedulers: TestScheduler[] = [];
  const runners: ScriptedRunner[] = [];
  const startScheduler = async (): Promise<TestScheduler> => {
    const scheduler = await startTestScheduler({ NATS_URL: server.url, NATS_PREFIX: prefix, ...environment });
    schedulers.push(scheduler);
    return scheduler;
  };
  beforeAll(async () => {
    server = await startNatsServer();
  });
  afterAll(async () => {
    await server?.stop();
  });
  beforeEach(async () => {
    tests += 1;
    prefix = `t${tests}`;
    bus = await connectBus({ url: server.url, prefix, name: 'test' });
    await startScheduler();
  });
  afterEach(async () => {
    for (const runner of runners.splice(0)) await runner.close();
    for (const scheduler of schedulers.splice(0)) await scheduler.stop();
    await bus?.close();
  });
  return {
    get bus() {
      return bus;
    },
    get scheduler() {
      const [first] = schedulers;
      if (first === undefined) throw new Error('no test runs');
      return first;
    },
    get environment() {
      return { NATS_URL: server.url, NATS_PREFIX: prefix };
    },
    reader: (id) => ({ id, definitions: ['a'], answer: (invocation) => readNumbers(bus, invocation) }),
    async runner(options) {
      const runner = await startRunner(bus, options);
      runners.push(runner);
      return runner;
    },
    startScheduler,
  };
}

/** Fetches what the invocation refers to, as a runner does, and answers what the pixels say. */
export async function readNumbers(bus: Bus, { run, window }: Invocation): Promise<Outcome> {
  const numbers = await Promise.all(
    (window?.frames ?? []).map(async ({ n, content }) => {
      if (content?.$case !== 'reference') throw new Error('no reference');
      const { header, data } = await fetchFrame(bus, content.value.jetstream, content.value.sequence);
      if (header.n !== n || header.run !== run) throw new Error(`frame ${header.n} in place of ${n}`);
      return frameNumber(data);
    }),
  );
  return { data: { numbers } };
}
