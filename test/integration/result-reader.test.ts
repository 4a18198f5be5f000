/** What is read from RESULTS comes in order, however long it takes to commit it (I5). */

import { setTimeout } from 'node:timers/promises';
import { connectBus } from '@stream-infer/bus/bus';
import { readResults } from '@stream-infer/bus/result-reader';
import { ensureResultStream } from '@stream-infer/bus/result-stream';
import { expect, test } from 'vitest';
import { seriesPublisher, testRecord } from '../harness/collector.ts';
import { eventually } from '../harness/eventually.ts';
import { startNatsServer } from '../harness/nats-server.ts';

const MAX_BYTES = 1 << 28;
const PLACE = { stream: 'cam', run: 'r1', algorithm: 'faces' };

test('a commit that takes longer than the server waits for makes no sequence fall', { timeout: 60_000 }, async () => {
  const nats = await startNatsServer();
  const bus = await connectBus({ url: nats.url, prefix: 'test', name: 'result-reader-test' });
  try {
    await ensureResultStream(bus, { maxBytes: MAX_BYTES });
    const publish = seriesPublisher(bus, PLACE);
    await publish(...[1, 2, 3].map((n) => testRecord(PLACE, n)));
    const { resultsStream, collectorDurable } = bus.topology;
    const redelivered = async (): Promise<number> =>
      (await bus.manager.consumers.info(resultsStream, collectorDurable)).num_redelivered;
    const ending = new AbortController();
    const sequences: number[] = [];
    const reasons: string[] = [];
    let committed = 0;
    const from = async (): Promise<number> => committed + 1;
    const options = { maxBytes: MAX_BYTES, from, signal: ending.signal, acknowledgeWithinMs: 1_000 };
    for await (const reading of readResults(bus, options)) {
      if (reading.kind === 'broken') reasons.push(reading.reason);
      if (reading.kind !== 'batch') continue;
      if (committed === 0) {
        await publish(testRecord(PLACE, 4));
        await eventually('that the server delivers again', async () => (await redelivered()) > 0);
      }
      sequences.push(...reading.messages.map(({ sequence }) => sequence));
      committed = sequences.at(-1) ?? 0;
      reading.acknowledge();
      if (committed === 4 && reasons.length === 0) await publish(testRecord(PLACE, 5));
      if (committed === 5) ending.abort();
    }
    expect(sequences).toEqual([1, 2, 3, 4, 5]);
    expect(reasons).toContain('messages came again, which were not acknowledged in time');
  } finally {
    await bus.close();
    await nats.stop();
  }
});

test('a request for results is always open, since a server may forget one that expires', {
  timeout: 60_000,
}, async () => {
  const nats = await startNatsServer();
  const bus = await connectBus({ url: nats.url, prefix: 'test', name: 'result-reader-test' });
  try {
    await ensureResultStream(bus, { maxBytes: MAX_BYTES });
    const { resultsStream, collectorDurable } = bus.topology;
    const requests: { readonly atMs: number; readonly expiresMs: number }[] = [];
    bus.connection.subscribe(bus.topology.nextMessagesSubject(resultsStream, collectorDurable), {
      callback: (_, message) => {
        const { expires } = message.json<{ expires: number }>();
        requests.push({ atMs: performance.now(), expiresMs: expires / 1e6 });
      },
    });
    const publish = seriesPublisher(bus, PLACE);
    const ending = new AbortController();
    const publishing = (async () => {
      for (let n = 1; !ending.signal.aborted; n += 1) {
        await publish(testRecord(PLACE, n));
        await setTimeout(20);
      }
    })();
    for await (const reading of readResults(bus, {
      maxBytes: MAX_BYTES,
      from: async () => 1,
      signal: ending.signal,
    })) {
      if (reading.kind === 'batch') reading.acknowledge();
      if (requests.length === 4) ending.abort();
    }
    await publishing;
    for (const [index, { atMs }] of requests.slice(1).entries()) {
      const before = requests[index] ?? { atMs: 0, expiresMs: 0 };
      expect(atMs - before.atMs).toBeLessThan(before.expiresMs);
    }
  } finally {
    await bus.close();
    await nats.stop();
  }
});
