/** What a test of RESULTS needs around it: a server and a bus for the file, and an empty RESULTS for each test. */

import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { ensureResultStream } from '@stream-infer/bus/result-stream';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { RESULTS_BYTES } from './collector-world.ts';
import { startNatsServer, type TestNatsServer } from './nats-server.ts';

/** To be called at the top of a file, before its own hooks; what it returns is for use within tests. */
export function resultsBus(): { readonly bus: Bus } {
  let server: TestNatsServer;
  let bus: Bus;
  beforeAll(async () => {
    server = await startNatsServer();
    bus = await connectBus({ url: server.url, prefix: 'test', name: 'results-test' });
  });
  afterAll(async () => {
    await bus?.close();
    await server?.stop();
  });
  beforeEach(async () => {
    await bus.manager.streams.delete(bus.topology.resultsStream).catch(() => undefined);
    await ensureResultStream(bus, { maxBytes: RESULTS_BYTES });
  });
  return {
    get bus() {
      return bus;
    },
  };
}
