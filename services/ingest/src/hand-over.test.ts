import type { Entry } from '@stream-infer/bus/bucket';
import type { Run, RunFacts, RunState } from '@stream-infer/core/run';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { HandOver } from './hand-over.ts';
import { NOBODY } from './run-claim.ts';

const LIMIT_MS = 10_000;
const CLAIM_MS = 3_500;
const playing = { kind: 'playing' } as RunState;
const claimed: RunState = { kind: 'claimed' };

let left: string[];
let reported: unknown[];

beforeEach(() => {
  vi.useFakeTimers();
  left = [];
  reported = [];
});
afterEach(() => {
  vi.useRealTimers();
});

const begin = (offer: () => Promise<boolean> = async () => true): HandOver =>
  new HandOver(
    {
      claim: { run: { run: 'r' } as Run, offer },
      newest: { n: 1, atMs: 0 },
      facts: {} as RunFacts,
      leave: (reason) => left.push(reason),
      report: (error) => reported.push(error),
    },
    'moved',
    LIMIT_MS,
  );
const standing = (revision: number, owner: string, state: RunState, run = 'r'): Entry<Run> => ({
  key: 'cam',
  revision,
  value: { run, owner, state } as Run,
});

test('a run is left when another plays it, and not before', async () => {
  const handOver = begin();
  handOver.registered(standing(5, NOBODY, playing));
  handOver.registered(standing(6, 'two', claimed));
  handOver.registered(standing(6, 'two', claimed));
  await vi.advanceTimersByTimeAsync(CLAIM_MS);
  expect(left).toEqual([]);
  handOver.registered(standing(7, 'two', playing));
  expect(left).toEqual(['handed-over']);
  await vi.advanceTimersByTimeAsync(LIMIT_MS);
  expect(left).toEqual(['handed-over']);
});

test('what nobody takes is left all the same', async () => {
  begin();
  await vi.advanceTimersByTimeAsync(CLAIM_MS - 1);
  expect(left).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(left).toEqual(['moved']);
});

test('so is what the one that took it does not come to play', async () => {
  begin().registered(standing(6, 'two', claimed));
  await vi.advanceTimersByTimeAsync(LIMIT_MS);
  expect(left).toEqual(['moved']);
});

test('one that begins anew could not open the camera beside this one, which makes way', () => {
  const handOver = begin();
  handOver.registered(standing(6, 'two', claimed));
  handOver.registered(standing(7, 'two', claimed));
  expect(left).toEqual(['handed-over']);
});

test('another run of the stream makes way for nothing', () => {
  begin().registered(standing(6, 'two', claimed, 'another'));
  expect(left).toEqual(['handed-over']);
});

test('a stop that comes meanwhile has its own limit, and is the reason then', async () => {
  const handOver = begin();
  handOver.registered(standing(6, 'two', claimed));
  handOver.hasten('stopping', 1_000);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(left).toEqual(['stopping']);
});

test('nothing is offered for longer than a stop allows', async () => {
  begin().hasten('stopping', 1_000);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(left).toEqual(['stopping']);
});

test('where the bus does not take the offer, the run is left and the fault told', async () => {
  const fault = new Error('the bus is away');
  begin(() => Promise.reject(fault));
  await vi.advanceTimersByTimeAsync(0);
  expect([left, reported]).toEqual([['moved'], [fault]]);
});

test('where another ingest has the run already, this one stands down', async () => {
  begin(() => Promise.resolve(false));
  await vi.advanceTimersByTimeAsync(0);
  expect(left).toEqual(['superseded']);
  await vi.advanceTimersByTimeAsync(LIMIT_MS);
  expect(left).toEqual(['superseded']);
});

test('an epoch that ends meanwhile leaves nothing to be handed over', async () => {
  const handOver = begin();
  handOver.giveUp();
  expect(left).toEqual(['moved']);
  await vi.advanceTimersByTimeAsync(LIMIT_MS);
  expect(left).toEqual(['moved']);
});
