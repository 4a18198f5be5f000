/** What lives in a nats-server that is profiled, so that two times can be compared: at each it has as many routes at hand. */

import type { Bus } from '@stream-infer/bus/bus';
import { type GoHeap, liveGoHeap } from './go-heap.ts';
import type { TestNatsServer } from './nats-server.ts';

/**
 * Where messages go it keeps at hand of up to 1,024 subjects in each of its accounts, and of some hundreds for each client and each stream, however
 * long ago the last one was. Requests fill what its own account keeps, which nobody else can empty.
 */
const ROUTES = 2_048;
const NEVER = Number.MAX_SAFE_INTEGER;

/** Takes about a second. */
export async function busHeap(server: TestNatsServer, bus: Bus): Promise<GoHeap> {
  if (server.profilerUrl === undefined) throw new Error('this nats-server is not profiled');
  for (let request = 0; request < ROUTES; request += 1) await bus.manager.streams.info(bus.topology.resultsStream);
  // A wildcard that goes takes with it the routes of all that it matches; clients and streams notice when they send.
  bus.connection.subscribe('>').unsubscribe();
  for (const name of bus.topology.fixedStreams) await refusedBy(bus, name);
  return liveGoHeap(server.profilerUrl);
}

/** Has a stream answer, with nothing stored. */
async function refusedBy(bus: Bus, name: string): Promise<void> {
  const info = await bus.manager.streams.info(name).catch(() => undefined);
  const subject = info?.config.subjects?.[0]?.replace('>', 'x');
  if (subject) await bus.jetstream.publish(subject, '', { expect: { lastSequence: NEVER } }).catch(() => undefined);
}
