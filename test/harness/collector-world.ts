/** What a test of the collector needs around it: a server for the file; a bus with a stream of results, a store and collectors for each test. */

import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { ensureResultStream } from '@stream-infer/bus/result-stream';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { startCollector, type TestCollector } from './collector.ts';
import { startNatsServer, type TestNatsServer } from './nats-server.ts';
import type { TestStore } from './stores.ts';

/** What the stream of results may take. */
export const RESULTS_BYTES = 1 << 28;

/** Of a store what is needed of it; one whose server goes with the file need not be removed. */
type WorldStore = Pick<TestStore, 'environment'> & Partial<Pick<TestStore, 'remove'>>;

export type CollectorWorld<Store extends WorldStore> = {
  readonly server: TestNatsServer;
  readonly bus: Bus;
  readonly prefix: string;
  readonly store: Store;
  /** What a collector is told of the bus and the store. */
  readonly environment: Readonly<Record<string, string>>;
  /** Those of this test, in the order of their start. */
  readonly collectors: readonly TestCollector[];
  /** One that is told this beside the environment; stopped with the test. */
  collector(more?: Readonly<Record<string, string>>): Promise<TestCollector>;
};

/** To be called at the top of a file or a group of tests; what it returns is for use within tests. @param createStore for each test. */
export function collectorWorld<Store extends WorldStore>(createStore: () => Promise<Store>): CollectorWorld<Store> {
  let server: TestNatsServer;
  let bus: Bus;
  let store: Store;
  let prefix = '';
  let tests = 0;
  const collectors: TestCollector[] = [];
  const environment = (): Record<string, string> => ({
    NATS_URL: server.url,
    NATS_PREFIX: prefix,
    RESULTS_MAX_BYTES: String(RESULTS_BYTES),
    ...store.environment,
  });
  beforeAll(async () => {
    server = await startNatsServer();
  });
  afterAll(async () => {
    await server?.stop();
  });
  beforeEach(async () => {
    tests += 1;
    prefix = `test-${tests}`;
    store = await createStore();
    bus = await connectBus({ url: server.url, prefix, name: 'collector-test' });
    await ensureResultStream(bus, { maxBytes: RESULTS_BYTES });
  });
  afterEach(async () => {
    for (const collector of collectors.splice(0)) await collector.stop();
    await bus?.close();
    await store?.remove?.();
  });
  return {
    get server() {
      return server;
    },
    get bus() {
      return bus;
    },
    get prefix() {
      return prefix;
    },
    get store() {
      return store;
    },
    get environment() {
      return environment();
    },
    collectors,
    async collector(more = {}) {
      const started = await startCollector({ ...environment(), ...more });
      collectors.push(started);
      return started;
    },
  };
}
