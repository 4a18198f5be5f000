import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EpochTakeover, elsewhere, FILL_LIMIT_MS } from './epoch-takeover.ts';

const LINGER_MS = 2_000;

let told: number;
let tell: () => Promise<boolean>;
let succeeded: number;
let forgotten: number;
let reported: unknown[];
let ending: AbortController;
let takeover: EpochTakeover;

beforeEach(() => {
  // What sleeps does so by the real clock: node:timers/promises is not faked.
  vi.useFakeTimers({ toFake: ['performance', 'Date'] });
  told = 0;
  succeeded = 0;
  forgotten = 0;
  reported = [];
  tell = async () => true;
  ending = new AbortController();
  takeover = new EpochTakeover({
    predecessor: {
      newest: undefined,
      succeed: () => {
        succeeded += 1;
      },
    },
    span: 3,
    tell: () => {
      told += 1;
      return tell();
    },
    forgetBefore: async () => {
      forgotten += 1;
    },
    report: (error) => reported.push(error),
    signal: ending.signal,
  });
});
afterEach(() => {
  ending.abort();
  vi.useRealTimers();
});

const frame = (n: number): void => takeover.look({ n, atMs: 0 });
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('an epoch takes over with the frame that fills its longest window, once', async () => {
  takeover.look(undefined);
  for (const n of [7, 8]) frame(n);
  expect(told).toBe(0);
  frame(9);
  await settle();
  for (const n of [10, 11]) frame(n);
  await settle();
  expect([told, succeeded, reported]).toEqual([1, 1, []]);
});

test('a window that takes too long to fill is not waited for', () => {
  frame(7);
  vi.advanceTimersByTime(FILL_LIMIT_MS - 1);
  frame(8);
  expect(told).toBe(0);
  vi.advanceTimersByTime(1);
  frame(8);
  expect(told).toBe(1);
});

test('where the registry cannot be told, it is tried again with a later frame', async () => {
  const fault = new Error('the bus is full');
  tell = () => Promise.reject(fault);
  for (const n of [7, 9]) frame(n);
  await settle();
  expect([succeeded, reported]).toEqual([0, [fault]]);
  tell = async () => true;
  frame(10);
  await settle();
  expect([told, succeeded]).toEqual([2, 1]);
});

test('where another ingest has the run, nothing is taken over, nor tried again', async () => {
  tell = async () => false;
  for (const n of [7, 9]) frame(n);
  await settle();
  frame(10);
  await settle();
  expect([told, succeeded, forgotten]).toEqual([1, 0, 0]);
});

test('an epoch that has ended takes nothing over', () => {
  ending.abort();
  for (const n of [7, 9]) frame(n);
  expect(told).toBe(0);
});

test('the buffers before are kept until what is under way of them is answered', async () => {
  for (const n of [7, 9]) frame(n);
  await settle();
  expect(forgotten).toBe(0);
  await vi.waitFor(() => expect(forgotten).toBe(1), 2 * LINGER_MS);
});

test('a frame of an ingest whose clock is ahead came now, and no later', () => {
  vi.setSystemTime(5_000);
  expect(elsewhere({ n: 3, atMs: 4_000 }).newest).toEqual({ n: 3, atMs: 4_000 });
  expect(elsewhere({ n: 3, atMs: 60_000 }).newest).toEqual({ n: 3, atMs: 5_000 });
});
