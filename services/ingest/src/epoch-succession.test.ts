import type { Entry } from '@stream-infer/bus/bucket';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Succession, type Turn } from './epoch-succession.ts';
import type { RunClaim } from './run-claim.ts';
import type { EpochEnd, StreamEpoch } from './stream-epoch.ts';

const LIMIT_MS = 10_000;

const specOf = (revision: number) => ({ key: 'cam', revision, value: {} }) as Entry<StreamSpec>;

class Epoch {
  newest: { n: number; atMs: number } | undefined = { n: 1, atMs: 0 };
  hasMadeWay = false;
  succeed(): void {
    this.hasMadeWay = true;
  }
}
const asEpoch = (epoch: Epoch): StreamEpoch => epoch as unknown as StreamEpoch;

let claimed: number[];
let begun: { readonly turn: Turn; readonly end: PromiseWithResolvers<EpochEnd> }[];
let reported: unknown[];
let claim: (revision: number) => RunClaim | undefined;
let succession: Succession;
let current: Epoch;

beforeEach(() => {
  vi.useFakeTimers();
  claimed = [];
  begun = [];
  reported = [];
  claim = () => ({}) as RunClaim;
  current = new Epoch();
  succession = new Succession({
    claimNext: async ({ revision }) => {
      claimed.push(revision);
      return claim(revision);
    },
    begin: () => {
      const end = Promise.withResolvers<EpochEnd>();
      const turn: Turn = { epoch: asEpoch(new Epoch()), end: end.promise };
      begun.push({ turn, end });
      return turn;
    },
    report: (error) => reported.push(error),
    limitMs: LIMIT_MS,
  });
});
afterEach(() => {
  vi.useRealTimers();
});

const settle = () => vi.advanceTimersByTimeAsync(0);

test('the next epoch begins beside the one that plays, which plays on', async () => {
  succession.want(specOf(2));
  succession.look(asEpoch(current));
  await settle();
  expect(claimed).toEqual([2]);
  expect(current.hasMadeWay).toBe(false);
  expect(await succession.take()).toBe(begun[0]?.turn);
  expect(await succession.take()).toBeUndefined();
});

test('none begins where nothing is wanted, or before the one that plays has a frame', async () => {
  succession.look(asEpoch(current));
  succession.want(specOf(2));
  succession.look(undefined);
  current.newest = undefined;
  succession.look(asEpoch(current));
  await settle();
  expect(claimed).toEqual([]);
  expect(succession.isWanted(specOf(2))).toBe(true);
  expect(succession.takeWanted()?.revision).toBe(2);
  expect(succession.takeWanted()).toBeUndefined();
});

test('of changes that come while one is under way the newest follows', async () => {
  for (const revision of [2, 3, 4]) {
    succession.want(specOf(revision));
    succession.look(asEpoch(current));
  }
  await settle();
  succession.look(asEpoch(current));
  await settle();
  expect(claimed).toEqual([2]);
  const next = await succession.take();
  succession.look(next && asEpoch(next.epoch as unknown as Epoch));
  await settle();
  expect(claimed).toEqual([2, 4]);
});

test('one that ends before its first frame takes the place all the same', async () => {
  succession.want(specOf(2));
  succession.look(asEpoch(current));
  await settle();
  begun[0]?.end.reject(new Error('refused'));
  await settle();
  expect(current.hasMadeWay).toBe(true);
});

test('one that does not come to play is not waited for longer than the limit', async () => {
  succession.want(specOf(2));
  succession.look(asEpoch(current));
  await vi.advanceTimersByTimeAsync(LIMIT_MS - 1);
  expect(current.hasMadeWay).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(current.hasMadeWay).toBe(true);
});

test('nothing begins where another ingest has the run, or the claim fails, which is reported', async () => {
  claim = () => undefined;
  succession.want(specOf(2));
  succession.look(asEpoch(current));
  await settle();
  claim = () => {
    throw new Error('no bus');
  };
  succession.want(specOf(3));
  succession.look(asEpoch(current));
  await settle();
  expect([claimed, begun, reported]).toEqual([[2, 3], [], [new Error('no bus')]]);
});
