/** What a large store costs: answers of any size pass through a bounded amount of memory, and do not hold up what comes. */

import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { ensureResultStream } from '@stream-infer/bus/result-stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { storeItem } from '../../services/collector/src/store-item.ts';
import { residentMiB, seriesPublisher, startCollector, type TestCollector, testRecord } from '../harness/collector.ts';
import { eventually } from '../harness/eventually.ts';
import { startNatsServer, type TestNatsServer } from '../harness/nats-server.ts';
import { describeStores, type TestStore } from '../harness/stores.ts';

const FRAMES = 100_000;
const ALGORITHMS = ['faces', 'stats'];
const DATA = { boxes: Array.from({ length: 10 }, (_, index) => [index, 94.25, 328.5, 168.125, 0.998 + index]) };
/** Of one answer with whole records. */
const RECORDS_MIB = 90;
/** What comes from a database passes through the buffers of a socket as well, and is garbage before V8 looks for it. */
const GROWTH_MIB = { file: 120, database: 280 };

describeStores(({ create, keepsFile }) => {
  let server: TestNatsServer;
  let bus: Bus;
  let store: TestStore;
  let collector: TestCollector;

  beforeAll(async () => {
    server = await startNatsServer();
    store = await create();
    bus = await connectBus({ url: server.url, prefix: 'stream-infer', name: 'collector-scale-test' });
    await ensureResultStream(bus, { maxBytes: 1 << 26 });
    await fill(store);
    collector = await startCollector({ NATS_URL: server.url, ...store.environment });
  });
  afterAll(async () => {
    await collector?.stop();
    await bus?.close();
    await server?.stop();
    await store?.remove();
  });

  /** Puts results into a store before its collector starts. */
  async function fill(place: TestStore): Promise<void> {
    const opened = await place.open();
    const writer = await opened.takeTurn(new AbortController().signal, () => undefined);
    await writer?.resume({ created: 'before', lastSequence: FRAMES * ALGORITHMS.length });
    let sequence = 0;
    for (let from = 1; from <= FRAMES; from += 1_000) {
      const items = Array.from({ length: 1_000 }, (_, index) => from + index).flatMap((n) =>
        ALGORITHMS.flatMap((algorithm) => {
          sequence += 1;
          const record = testRecord({ stream: 'cam', run: 'r1', algorithm }, n, { data: DATA });
          return storeItem({ kind: 'result', sequence, bytes: new TextEncoder().encode(JSON.stringify(record)) }) ?? [];
        }),
      );
      await writer?.commit({ items, sequence }, Date.now());
    }
    await writer?.close();
    await opened.close();
  }

  async function answerMiB(path: string, accept: string): Promise<number> {
    const response = await fetch(`${collector.addresses.api}${path}`, { headers: { accept } });
    let bytes = 0;
    for await (const chunk of response.body ?? []) bytes += chunk.length;
    return bytes / 2 ** 20;
  }

  test('answers over 200,000 results take bounded memory, while new results are stored', async () => {
    await answerMiB('/v1/streams/cam/records', 'application/json');
    const before = await residentMiB(collector.process.pid);
    const place = { stream: 'new', run: 'r1', algorithm: 'faces' };
    const publish = seriesPublisher(bus, place);
    const answers = Promise.all([
      answerMiB('/v1/streams/cam/records', 'application/x-ndjson'),
      answerMiB('/v1/streams/cam/results', 'application/json'),
    ]);
    let answered = false;
    void answers.finally(() => {
      answered = true;
    });
    let stored = 0;
    for (let n = 1; !answered; n += 1) {
      await publish(testRecord(place, n));
      await eventually('the new result', async () => {
        const { results } = await collector.get<{ results: number }>('/v1/streams/new').catch(() => ({ results: 0 }));
        return results === n;
      });
      stored = answered ? stored : n;
    }
    const [records, aggregate] = await answers;
    expect(records).toBeGreaterThan(RECORDS_MIB);
    expect(aggregate).toBeGreaterThan(RECORDS_MIB / 3);
    expect(stored).toBeGreaterThan(5);
    const { most } = await residentMiB(collector.process.pid);
    expect(most - before.now).toBeLessThan(keepsFile ? GROWTH_MIB.file : GROWTH_MIB.database);
  });
});
