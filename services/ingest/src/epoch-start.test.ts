import type { SamplePlan } from '@stream-infer/core/sample-plan';
import { expect, test } from 'vitest';
import { type EpochStartFacts, laterEpochStart } from './epoch-start.ts';

const algorithm = (name: string, intervalFrames: number, frameCount = 1) => ({
  name,
  definition: name,
  frameCount,
  frameStep: 0,
  intervalFrames,
  span: frameCount,
  timeoutMs: 1_000,
  maxInFlight: 2,
});
const plan = {
  fps: { num: 10, den: 1 },
  firstN: 1,
  algorithms: [algorithm('a', 10), algorithm('b', 5, 3)],
} as unknown as SamplePlan;
const facts = (more: Partial<EpochStartFacts> & { mode?: 'offline' | 'realtime' }): EpochStartFacts => ({
  run: { spec: { mode: more.mode ?? 'offline' } as EpochStartFacts['run']['spec'], startedAtMs: 100_000 },
  plan,
  live: false,
  runsAfter: new Map(),
  newest: undefined,
  nowMs: 100_000,
  ...more,
});

test('a file begins anew with the oldest frame that a window which is not answered wants', () => {
  expect(laterEpochStart(facts({}))).toEqual({ kind: 'again', fromN: 3 });
  const answered = new Map([
    ['a', 40],
    ['b', 45],
  ]);
  expect(laterEpochStart(facts({ runsAfter: answered }))).toEqual({ kind: 'again', fromN: 48 });
  expect(laterEpochStart(facts({ runsAfter: new Map([['b', 45]]) }))).toEqual({ kind: 'again', fromN: 10 });
});

test('a camera goes on by the time that has passed, and never with a number that was', () => {
  const live = { mode: 'realtime', live: true } as const;
  const startOf = (nowMs: number, more: Partial<EpochStartFacts>) =>
    laterEpochStart(facts({ ...live, nowMs, ...more }));
  const newest = { n: 250, atMs: 125_000 };
  expect(startOf(130_000, { newest })).toEqual({ kind: 'onward', firstN: 300, atMs: 130_000 });
  expect(startOf(125_010, { newest })).toEqual({ kind: 'onward', firstN: 251, atMs: 125_010 });
  expect(startOf(101_000, { newest })).toEqual({ kind: 'onward', firstN: 251, atMs: 101_000 });
  expect(startOf(130_000, {})).toEqual({ kind: 'onward', firstN: 301, atMs: 130_000 });
  expect(startOf(90_000, { runsAfter: new Map([['a', 40]]) })).toEqual({ kind: 'onward', firstN: 41, atMs: 90_000 });
  expect(laterEpochStart(facts({ mode: 'realtime', nowMs: 130_000 }))).toEqual({ kind: 'again', fromN: 301 });
});
