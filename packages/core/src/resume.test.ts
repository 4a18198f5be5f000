import { describe, expect, test } from 'vitest';
import type { SimulatedFrame } from '../../../test/model/simulated-run.ts';
import { algorithm, sourceFacts, streamSpec } from '../../../test/model/specs.ts';
import { resumeFrom } from './resume.ts';
import { samplePlan } from './sample-plan.ts';
import { StreamSchedule } from './stream-schedule.ts';

describe('windows that are to be run again', () => {
  const tracks = algorithm({ name: 'tracks', frameCount: 3, intervalFrames: 2 });
  const plan = samplePlan(streamSpec({ fps: '10', algorithms: [tracks] }), sourceFacts({ fps: '10' }));
  /** A successor behind result 8 whose buffer begins with frame `first`; `previous` was released before it. */
  const takeOver = (replayAfter: number, first: number, previous: number) => {
    const progress = new Map([['tracks', { answeredThrough: 8, replayAfter }]]);
    const schedule = new StreamSchedule<SimulatedFrame, null>({ plan, mode: 'offline', live: false, progress });
    for (let n = first; n <= 10; n += 1)
      schedule.frame({ n, sequence: n, sourceIndex: n - 1 }, n === first ? previous : n - 1, 0, 0);
    return schedule.schedules[0];
  };

  test('are kept, and not triggered', () => {
    const schedule = takeOver(4, 4, 3);
    expect([schedule?.retained.isWhole, schedule?.retained.size, schedule?.retained.oldest]).toEqual([true, 2, 6]);
    expect([schedule?.take(0)?.n, schedule?.ledger.triggered]).toEqual([10, 1]);
  });

  test('are missed where a frame of the first was released; what no epoch held is not', () => {
    expect(takeOver(4, 5, 4)?.retained).toMatchObject({ isWhole: false, canBePlayedAgain: true });
    expect(takeOver(0, 9, 8)?.retained.isWhole).toBe(false);
    expect(takeOver(0, 1, 0)?.retained.isWhole).toBe(true);
    expect(takeOver(8, 9, 8)?.retained.isWhole).toBe(true);
  });

  test('decide from which frame a stream is decoded again, with what comes after others', () => {
    const { intervalFrames: _, ...without } = algorithm({ frameCount: 0, intervalFrames: 1 });
    const algorithms = [tracks, { ...without, name: 'names', definition: 'names', after: ['tracks'] }];
    const chain = samplePlan(streamSpec({ fps: '10', algorithms }), sourceFacts({ fps: '10' }));
    const from = (trackedThrough: number, namedThrough: number): number =>
      resumeFrom(
        chain,
        new Map([
          ['tracks', trackedThrough],
          ['names', namedThrough],
        ]),
      );
    expect([from(0, 0), from(8, 8), from(8, 2), from(4, 8)]).toEqual([1, 8, 4, 4]);
  });
});
