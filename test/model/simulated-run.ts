/**
 * A whole run without processes, for tests: an ingest that counts published against released, a scheduler, and runners that
 * answer in any order, all interleaved by a seed. Nothing is done in it that the services do not do.
 */

import { isDeepStrictEqual } from 'node:util';
import {
  bufferCapacity,
  isNeeded,
  nOfIndex,
  type PlannedAlgorithm,
  type SamplePlan,
  slotOf,
} from '@stream-infer/core/sample-plan';
import type { Trigger } from '@stream-infer/core/schedule';
import { StreamSchedule } from '@stream-infer/core/stream-schedule';
import type { UpstreamResult } from '@stream-infer/core/upstream';
import type { ModelCall } from './reference-model.ts';

export type SimulatedFrame = { readonly n: number; readonly sequence: number; readonly sourceIndex: number };

/** Numbers the played frames of a source as the ingest does. */
export function numberFrames(plan: SamplePlan, timesMs: readonly number[]): { n: number; sourceIndex: number }[] {
  const frames: { n: number; sourceIndex: number }[] = [];
  timesMs.forEach((timeMs, sourceIndex) => {
    const n =
      plan.sampling === 'index'
        ? nOfIndex(plan, sourceIndex)
        : slotOf(plan, timeMs, timesMs[0] ?? 0, { num: 1, den: 1000 });
    if (n !== undefined && n >= plan.firstN && n > (frames.at(-1)?.n ?? 0)) frames.push({ n, sourceIndex });
  });
  return frames;
}

/** xorshift: the same seed, the same interleaving. */
export function dice(seed: number): (sides: number) => number {
  let state = seed | 1;
  return (sides) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % sides;
  };
}

export type SimulatedRun = {
  readonly published: readonly ModelCall[];
  readonly schedule: StreamSchedule<SimulatedFrame, null>;
  /** What went wrong, if something did: a stall, or a frame that was gone when a runner wanted it. */
  readonly fault: string | undefined;
};

/** Whether the algorithm fails at n. */
export type Failing = (algorithm: string, n: number) => boolean;

const encoder = new TextEncoder();
const FAULT = { code: 'ALGORITHM_FAILED', message: 'it is to fail' } as const;

/** What an algorithm says of n, for those that come after it. */
export const resultFor = (algorithm: string, n: number, fails: Failing): UpstreamResult =>
  fails(algorithm, n)
    ? { kind: 'error', fault: FAULT }
    : { kind: 'data', json: encoder.encode(JSON.stringify([algorithm, n])) };

/** Plays offline to the end. */
export function simulateOffline(
  plan: SamplePlan,
  timesMs: readonly number[],
  seed: number,
  fails: Failing = () => false,
): SimulatedRun {
  const roll = dice(seed);
  const capacity = bufferCapacity(plan, 'offline');
  const needed = numberFrames(plan, timesMs).filter(({ n }) => isNeeded(plan, n));
  const frames = needed.map((frame, i): SimulatedFrame => ({ ...frame, sequence: i + 1 }));
  const schedule = new StreamSchedule<SimulatedFrame, null>({ plan, mode: 'offline', live: false });
  const underWay: { lane: number; trigger: Trigger<SimulatedFrame> }[] = [];
  const published: ModelCall[] = [];
  let stored = 0;
  let read = 0;
  let released = 0;
  let ended = false;
  let fault: string | undefined;

  const release = (): void => {
    released = schedule.release() ?? released;
  };
  const failed = new Set<Trigger<SimulatedFrame>>();
  const checkInputs = (
    { algorithm }: { readonly algorithm: PlannedAlgorithm },
    { n, inputs }: Trigger<SimulatedFrame>,
  ): void => {
    const isAsSaid = (name: string): boolean => isDeepStrictEqual(inputs?.get(name), resultFor(name, n, fails));
    if ((inputs?.size ?? 0) !== (algorithm.after?.length ?? 0) || algorithm.after?.every(isAsSaid) === false)
      fault = `window ${n} of ${algorithm.name} has other inputs than it comes after`;
  };
  const checkFetched = ({ n, frames: window }: Trigger<SimulatedFrame>): void => {
    const gone = window.find(({ sequence }) => sequence <= released);
    if (gone) fault = `frame ${gone.n} is released and window ${n} wants it`;
  };
  const steps: (() => boolean)[] = [
    () => {
      if (stored === frames.length || stored - released >= capacity) return false;
      stored += 1;
      return true;
    },
    () => {
      const frame = frames[read];
      if (read === stored || frame === undefined) return false;
      schedule.frame(frame, frames[read - 1]?.n ?? 0, 0, 0);
      read += 1;
      release();
      return true;
    },
    () => {
      if (read < frames.length || ended) return false;
      schedule.end(frames.at(-1)?.n ?? 0);
      ended = true;
      return true;
    },
    () => {
      const lane = roll(schedule.schedules.length);
      for (let i = 0; i < schedule.schedules.length; i += 1) {
        const at = (lane + i) % schedule.schedules.length;
        const one = schedule.schedules[at];
        const refused = one?.takeFailed();
        const trigger = refused?.trigger ?? one?.take(0);
        if (one === undefined || trigger === undefined) continue;
        if (refused) failed.add(trigger);
        else checkInputs(one, trigger);
        checkFetched(trigger);
        underWay.push({ lane: at, trigger });
        return true;
      }
      return false;
    },
    () => {
      const [work] = underWay.splice(roll(Math.max(underWay.length, 1)), 1);
      if (work === undefined) return false;
      const lane = schedule.schedules[work.lane];
      checkFetched(work.trigger);
      lane?.answered(work.trigger, null);
      for (const { trigger } of lane?.ready() ?? []) {
        const { n, frames: window } = trigger;
        const { name = '', frameCount = 1 } = lane?.algorithm ?? {};
        const handed = frameCount === 0 ? [] : window;
        published.push({ algorithm: name, n, frames: handed.map(({ sourceIndex }) => sourceIndex) });
        const hasFailed = failed.has(trigger) || fails(name, n);
        lane?.settle(
          n,
          hasFailed ? 'failed' : 'completed',
          resultFor(name, n, () => hasFailed),
        );
      }
      release();
      return true;
    },
  ];
  // Some seeds prefer to read on, others to answer: each step is tried from a random one on.
  const bias = roll(steps.length);
  while (fault === undefined && !schedule.complete) {
    const from = roll(3) === 0 ? bias : roll(steps.length);
    if (!steps.some((_, i) => steps[(from + i) % steps.length]?.()))
      fault = `stalled: ${stored} stored, ${released} released, capacity ${capacity}`;
  }
  return { published, schedule, fault };
}
