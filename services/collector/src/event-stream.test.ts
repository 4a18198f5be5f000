import { Fault } from '@stream-infer/core/fault';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createEventFeed, type EventFeed } from './event-feed.ts';
import { eventStream, takenWithin } from './event-stream.ts';
import type { ResultStore, ResultWriter } from './result-store.ts';
import { createSharedEvents } from './shared-events.ts';
import { openSqliteStore } from './sqlite-store/result-store.ts';
import { RANK } from './store-item.ts';

let store: ResultStore;
let writer: ResultWriter | undefined;
let stop: AbortController;
beforeEach(async () => {
  store = openSqliteStore(':memory:', () => undefined);
  stop = new AbortController();
  writer = await store.takeTurn(stop.signal, () => undefined);
  await writer?.resume({ created: 'monday', lastSequence: 1_000_000 });
});
afterEach(async () => {
  stop.abort();
  await store.close();
});

async function commit(from: number, to: number): Promise<void> {
  const items = Array.from({ length: to - from + 1 }, (_, index) => {
    const n = from + index;
    const place = { stream: 'cam', run: 'r1', algorithm: 'faces', n, keyMs: n };
    return { kind: 'result' as const, sequence: n, ...place, rank: RANK.success, text: `{"n":${n}}` };
  });
  await writer?.commit({ items, sequence: to }, 0);
}

const sources = (feed: EventFeed, of: Pick<ResultStore, 'events'> = store) => ({
  store: of,
  feed,
  shared: createSharedEvents(of, feed),
});

const ids = (text: string): number[] => [...text.matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1]));

test('replay and live events join without a seam, whatever is committed while a page is being sent', async () => {
  const feed = createEventFeed();
  await commit(1, 1_200);
  const stream = eventStream(sources(feed), { after: 3, heartbeatMs: 60_000, signal: stop.signal });
  const seen: number[] = [];
  for await (const chunk of stream) {
    seen.push(...ids(chunk));
    const last = seen.at(-1) ?? 0;
    if (last === 2_000) break;
    if (last >= 1_200) {
      const { position } = await store.progress();
      await commit(position + 1, position + 100);
      feed.notify();
    }
  }
  expect(seen).toEqual(Array.from({ length: 1_997 }, (_, index) => index + 4));
});

test('an event is one block with id, type and data; a comment comes while nothing happens', async () => {
  await commit(1, 1);
  const stream = eventStream(sources(createEventFeed()), { after: 0, heartbeatMs: 1, signal: stop.signal });
  const chunks: string[] = [];
  for await (const chunk of stream) if (chunks.push(chunk) === 3) break;
  expect(chunks.slice(1)).toEqual(['id: 1\nevent: result\ndata: {"n":1}\n\n', ': still here\n\n']);
});

test('clients that wait are served by one look into the store, each with what it asks for', async () => {
  const feed = createEventFeed();
  let looks = 0;
  const counted: Pick<ResultStore, 'events'> = {
    events(query) {
      looks += 1;
      return store.events(query);
    },
  };
  const shared = sources(feed, counted);
  await commit(1, 10);
  const filters = [...Array.from({ length: 20 }, () => ({})), { stream: 'cam' }, { stream: 'other' }];
  const clients = filters.map((filter) =>
    eventStream(shared, { ...filter, after: 10, heartbeatMs: 60_000, signal: stop.signal }),
  );
  const told = clients.map(async (client) => {
    const seen: number[] = [];
    for await (const chunk of client) {
      seen.push(...ids(chunk));
      if (seen.at(-1) === 30) break;
    }
    return seen;
  });
  const waiting = async (): Promise<void> => {
    while (looks < filters.length) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  await waiting();
  const before = looks;
  await commit(11, 30);
  feed.notify();
  const served = await Promise.all(told.slice(0, 21));
  for (const seen of served) expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => index + 11));
  expect(looks - before).toBe(1);
  stop.abort();
  expect(await told[21]).toEqual([]);
});

test('a store that is away for a while costs a client nothing but time', async () => {
  const feed = createEventFeed();
  let away = 2;
  const flaky: Pick<ResultStore, 'events'> = {
    async events(query) {
      away -= 1;
      if (away >= 0) throw new Fault('STORE_UNREACHABLE', 'it is away');
      return store.events(query);
    },
  };
  await commit(1, 3);
  const seen: number[] = [];
  for await (const chunk of eventStream(sources(feed, flaky), { after: 0, heartbeatMs: 1, signal: stop.signal })) {
    seen.push(...ids(chunk));
    if (seen.length === 3) break;
  }
  expect(seen).toEqual([1, 2, 3]);
});

test('a chunk that is not taken in time is told of, one that is taken is not', async () => {
  vi.useFakeTimers();
  try {
    let stalls = 0;
    const chunks = takenWithin(
      (async function* () {
        yield* ['a', 'b'];
      })(),
      1_000,
      () => {
        stalls += 1;
      },
    );
    await chunks.next();
    vi.advanceTimersByTime(999);
    await chunks.next();
    expect(stalls).toBe(0);
    vi.advanceTimersByTime(1_000);
    expect(stalls).toBe(1);
    await chunks.return();
  } finally {
    vi.useRealTimers();
  }
});
