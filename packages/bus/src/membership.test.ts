import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Bucket, Change } from './bucket.ts';
import type { Bus } from './bus.ts';
import { Membership } from './membership.ts';
import type { Member } from './registry.ts';

const SECOND_MS = 1_000;
let isConnected: boolean;
let put: () => Promise<number>;
let membership: Membership;

beforeEach(() => {
  vi.useFakeTimers();
  isConnected = true;
  put = () => Promise.resolve(1);
  const members: Partial<Bucket<Member>> = {
    get: () => Promise.resolve(undefined),
    put: () => put(),
    delete: () => Promise.resolve(true),
    async *watch(signal): AsyncGenerator<Change<Member>, void, void> {
      yield { kind: 'current' };
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  };
  const bus: Partial<Bus> = {
    get isConnected() {
      return isConnected;
    },
  };
  membership = new Membership({
    bus: bus as Bus,
    members: members as Bucket<Member>,
    role: 'ingest',
    id: 'one',
    held: () => ({}),
    onChange: () => undefined,
    onTrouble: () => undefined,
  });
});
afterEach(async () => {
  const closed = membership.close();
  await vi.runAllTimersAsync();
  await closed;
  vi.useRealTimers();
});

const tell = () => ({ isBeating: membership.isBeating, isHeard: membership.isHeard });

test('one whose beats are taken is heard', async () => {
  await vi.advanceTimersByTimeAsync(60 * SECOND_MS);
  expect(tell()).toEqual({ isBeating: true, isHeard: true });
});

test.each([
  ['refuses its beats', () => (put = () => Promise.reject(new Error('refused')))],
  ['is away', () => (isConnected = false)],
])('where the bus %s it goes on to beat, and is heard no more (I7)', async (_, happens) => {
  await vi.advanceTimersByTimeAsync(2 * SECOND_MS);
  happens();
  await vi.advanceTimersByTimeAsync(4 * SECOND_MS);
  expect(tell()).toEqual({ isBeating: true, isHeard: true });
  await vi.advanceTimersByTimeAsync(60 * SECOND_MS);
  expect(tell()).toEqual({ isBeating: true, isHeard: false });
});

test('a beat that never comes to its end is a loop that stands still', async () => {
  await vi.advanceTimersByTimeAsync(2 * SECOND_MS);
  const stuck = Promise.withResolvers<number>();
  put = () => stuck.promise;
  await vi.advanceTimersByTimeAsync(10 * SECOND_MS);
  expect(membership.isBeating).toBe(true);
  await vi.advanceTimersByTimeAsync(10 * SECOND_MS);
  expect(membership.isBeating).toBe(false);
  stuck.resolve(1);
  await vi.advanceTimersByTimeAsync(2 * SECOND_MS);
  expect(tell()).toEqual({ isBeating: true, isHeard: true });
});
