import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import given from '../../../test/conformance/given.json' with { type: 'json' };
import { type Fraction, type ModelCall, playByIndex, playByTime } from '../../../test/model/reference-model.ts';
import { numberFrames, type SimulatedFrame, simulateOffline } from '../../../test/model/simulated-run.ts';
import {
  algorithm,
  anyAlgorithms,
  anyFps,
  anyPosition,
  fractionText,
  sourceFacts,
  specOf,
  streamSpec,
} from '../../../test/model/specs.ts';
import { type SamplePlan, samplePlan } from './sample-plan.ts';
import { StreamSchedule } from './stream-schedule.ts';
import { timeKey } from './time-key.ts';

const callsOf = (calls: readonly ModelCall[], name: string): readonly ModelCall[] =>
  calls.filter((call) => call.algorithm === name);

const constantRate = (count: number): number[] => Array.from({ length: count }, (_, i) => i * 40);

function expectSame(plan: SamplePlan, timesMs: readonly number[], model: readonly ModelCall[], seed: number): void {
  const { published, schedule, fault } = simulateOffline(plan, timesMs, seed);
  expect(fault).toBeUndefined();
  for (const { algorithm: planned, ledger } of schedule.schedules) {
    const expected = callsOf(model, planned.name);
    expect(callsOf(published, planned.name)).toEqual(expected);
    expect(ledger.totals).toEqual({ triggered: expected.length, completed: expected.length, failed: 0, dropped: {} });
    expect(ledger.open).toBe(0);
  }
}

describe('the cases recorded from the original', () => {
  const rates: Record<string, string> = {
    'counter25.mp4': '25',
    'counter2997.mp4': '30000/1001',
    'counter30.mp4': '30',
    'counter60.mp4': '60',
  };
  const lengths: Record<string, number> = { 'counter25.mp4': 250, 'counter60.mp4': 600 };
  for (const { name, video, fps, buffer, position, algos, calls } of given)
    test(name, () => {
      const spec = (wanted: typeof algos) =>
        streamSpec({
          fps: String(fps),
          position: String(position),
          buffer,
          algorithms: wanted.map((algo) =>
            algorithm({
              name: algo.name,
              frameCount: algo.frame_count,
              frameStep: algo.frame_step,
              interval: String(algo.interval),
            }),
          ),
        });
      const source = sourceFacts({ fps: rates[video] ?? '' });
      const recorded: Record<string, { position: number; frames: number[] }[] | undefined> = calls;
      const run = algos.filter((algo) => recorded[algo.name] !== undefined);
      if (run.length < algos.length)
        expect(() => samplePlan(spec(algos), source)).toThrow(
          expect.objectContaining({ code: 'WINDOW_EXCEEDS_BUFFER', message: expect.stringContaining('never') }),
        );
      const plan = samplePlan(spec(run), source);
      const { published, fault } = simulateOffline(plan, constantRate(lengths[video] ?? 300), 1);
      expect(fault).toBeUndefined();
      for (const algo of run) {
        const ours = callsOf(published, algo.name);
        expect(ours.map(({ frames }) => frames)).toEqual(recorded[algo.name]?.map(({ frames }) => frames));
        const seconds = ours.map(({ n }) => Math.floor(Number(timeKey(n, plan.fps))));
        expect(seconds).toEqual(recorded[algo.name]?.map((call) => call.position));
      }
    });
});

describe('offline, against the reference model', () => {
  test('by index: the same calls with the same frames, in order, without a stall, however work interleaves', () => {
    fc.assert(
      fc.property(
        fc
          .tuple(anyFps, anyFps, anyPosition)
          .chain(([source, asked, position]) =>
            fc.tuple(
              fc.constant({ source, asked, position }),
              anyAlgorithms(Math.min(source[0] / source[1], asked[0] / asked[1])),
            ),
          ),
        fc.integer({ min: 0, max: 400 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer(),
        ([{ source, asked, position }, algorithms], length, maxInFlight, seed) => {
          const model = playByIndex(length, source, asked, position, algorithms);
          const plan = samplePlan(
            specOf(algorithms, asked, position, maxInFlight),
            sourceFacts({ fps: fractionText(source) }),
          );
          expect(numberFrames(plan, constantRate(length)).map(({ sourceIndex }) => sourceIndex)).toEqual(model.played);
          expectSame(plan, constantRate(length), model.calls, seed);
        },
      ),
      { numRuns: 400 },
    );
  });

  test('by presentation time: variable rates and gaps, the nearest older frame in place of a missing one', () => {
    const deltas = fc.array(fc.oneof(fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: 1_500 })), {
      maxLength: 250,
    });
    fc.assert(
      fc.property(
        fc
          .tuple(anyFps, anyPosition)
          .chain(([fps, position]) => fc.tuple(fc.constant({ fps, position }), anyAlgorithms(fps[0] / fps[1]))),
        deltas,
        fc.integer({ min: 1, max: 9 }),
        fc.integer(),
        ([{ fps, position }, algorithms], steps, maxInFlight, seed) => {
          let time = 128;
          const timesMs = steps.map((delta) => {
            time += delta;
            return time;
          });
          const model = playByTime(timesMs, fps, position, algorithms);
          const plan = samplePlan(specOf(algorithms, fps, position, maxInFlight), sourceFacts({ sampling: 'time' }));
          expect(numberFrames(plan, timesMs).map(({ sourceIndex }) => sourceIndex)).toEqual(model.played);
          expectSame(plan, timesMs, model.calls, seed);
        },
      ),
      { numRuns: 400 },
    );
  });
});

/** Every frame is published, some are lost; every window is taken. */
function playLossy(plan: SamplePlan, count: number, isLost: (i: number) => boolean) {
  const published = numberFrames(plan, constantRate(count));
  const schedule = new StreamSchedule<SimulatedFrame, null>({ plan, mode: 'offline', live: false });
  const taken: ModelCall[] = [];
  published.forEach((frame, i) => {
    if (isLost(i)) return;
    schedule.frame({ ...frame, sequence: i + 1 }, published[i - 1]?.n ?? 0, 0, 0);
    for (const one of schedule.schedules) {
      const next = one.take(0);
      if (next === undefined) continue;
      taken.push({ algorithm: one.algorithm.name, n: next.n, frames: next.frames.map((f) => f.sourceIndex) });
      one.answered(next, null);
      one.settle(next.n, 'completed');
    }
    schedule.release();
  });
  schedule.end(published.at(-1)?.n ?? 0);
  return { taken, schedule };
}

describe('frames that are lost', () => {
  test('cost exactly the windows that want them, each counted, and no window takes another frame instead', () => {
    fc.assert(
      fc.property(
        anyAlgorithms(10),
        // What an epoch does not begin with is released, or answered.
        fc.uniqueArray(fc.integer({ min: 1, max: 119 }), { maxLength: 20 }),
        (algorithms, lost) => {
          const fps: Fraction = [10, 1];
          const plan = {
            ...samplePlan(specOf(algorithms, fps, [0, 1], 8), sourceFacts({ fps: '10' })),
            needed: { kind: 'all' as const },
          };
          const { taken, schedule } = playLossy(plan, 120, (i) => lost.includes(i));
          const { calls } = playByIndex(120, fps, fps, [0, 1], algorithms);
          for (const { algorithm: planned, ledger } of schedule.schedules) {
            const all = callsOf(calls, planned.name);
            const whole = all.filter(({ frames }) => !frames.some((index) => lost.includes(index)));
            expect(callsOf(taken, planned.name)).toEqual(whole);
            const dropped = all.length - whole.length;
            expect(ledger.totals).toEqual({
              triggered: all.length,
              completed: whole.length,
              failed: 0,
              dropped: dropped > 0 ? { 'frame-lost': dropped } : {},
            });
          }
          expect(schedule.complete).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('frames out of order are a fault, not a guess', () => {
    const plan = samplePlan(streamSpec(), sourceFacts());
    const schedule = new StreamSchedule<SimulatedFrame, null>({ plan, mode: 'offline', live: false });
    schedule.frame({ n: 30, sequence: 1, sourceIndex: 29 }, 0, 0, 0);
    expect(() => schedule.frame({ n: 30, sequence: 2, sourceIndex: 29 }, 0, 0, 0)).toThrow(
      expect.objectContaining({ code: 'BUS_FAILED' }),
    );
  });
});

describe('a stream that is taken over', () => {
  test('is not asked again for what is published, and keeps only the frames that are still needed', () => {
    const plan = samplePlan(
      streamSpec({ algorithms: [algorithm({ frameCount: 2, frameStep: 5, intervalFrames: 10 })] }),
      sourceFacts(),
    );
    const totals = { triggered: 3, completed: 2, failed: 1, dropped: {} };
    const schedule = new StreamSchedule<SimulatedFrame, null>({
      plan,
      mode: 'offline',
      live: false,
      progress: new Map([['a', { answeredThrough: 30, totals }]]),
    });
    // The predecessor released everything before slot 25.
    [25, 30, 35, 40, 45, 50].forEach((n, i) => {
      schedule.frame({ n, sequence: i + 5, sourceIndex: n - 1 }, n - 5, 0, 0);
    });
    const [one] = schedule.schedules;
    expect([one?.take(0)?.n, one?.take(0)?.n, one?.take(0)]).toEqual([40, 50, undefined]);
    expect(one?.ledger.totals).toEqual(totals);
    for (const n of [40, 50]) one?.settle(n, 'completed');
    expect(one?.ledger.totals).toEqual({ ...totals, triggered: 5, completed: 4 });
    expect(schedule.release()).toBe(10);
  });
});

test('after a start position a window with steps waits for frames, one of consecutive frames takes as many as there are', () => {
  const algorithms = [
    algorithm({ name: 'steps', frameCount: 2, frameStep: 2, intervalFrames: 1 }),
    algorithm({ name: 'last', frameCount: 3, intervalFrames: 1 }),
  ];
  const plan = samplePlan(streamSpec({ fps: '10', position: '1', algorithms }), sourceFacts({ sampling: 'time' }));
  // Slots 11 to 14 are gaps without an older frame: nothing may stand for them.
  const { published } = simulateOffline(plan, [0, 1_400, 1_500, 1_600, 1_700], 1);
  expect(callsOf(published, 'steps')).toEqual([
    { algorithm: 'steps', n: 17, frames: [1, 3] },
    { algorithm: 'steps', n: 18, frames: [2, 4] },
  ]);
  expect(callsOf(published, 'last').map(({ frames }) => frames)).toEqual([[1], [1, 2], [1, 2, 3], [2, 3, 4]]);
});

describe('a live source', () => {
  test('that is joined late fills its windows from the first frame seen', () => {
    const plan = samplePlan(
      streamSpec({
        mode: 'realtime',
        fps: '10',
        algorithms: [algorithm({ frameCount: 2, frameStep: 3, intervalFrames: 2 })],
      }),
      sourceFacts({ sampling: 'time', live: true }),
    );
    const schedule = new StreamSchedule<SimulatedFrame, null>({ plan, mode: 'realtime', live: true });
    const [one] = schedule.schedules;
    const due: (number | undefined)[] = [];
    for (let n = 101; n <= 108; n += 1) {
      schedule.frame({ n, sequence: n, sourceIndex: n }, n - 1, n * 100, 0);
      due.push(one?.take(n * 100)?.n);
      if (due.at(-1) !== undefined) one?.settle(n, 'completed');
    }
    expect(due).toEqual([undefined, undefined, undefined, undefined, undefined, 106, undefined, 108]);
    expect(one?.ledger.totals.dropped).toEqual({});
  });

  test('that is joined late hands consecutive frames, as many as there are', () => {
    const algorithms = [algorithm({ frameCount: 3, intervalFrames: 1 })];
    const plan = samplePlan(
      streamSpec({ mode: 'realtime', fps: '10', algorithms }),
      sourceFacts({ sampling: 'time', live: true }),
    );
    const schedule = new StreamSchedule<SimulatedFrame, null>({ plan, mode: 'realtime', live: true });
    const [one] = schedule.schedules;
    const windows = [101, 102, 103].map((n) => {
      schedule.frame({ n, sequence: n, sourceIndex: n }, n - 1, n * 100, 0);
      const taken = one?.take(n * 100);
      if (taken) one?.settle(n, 'completed');
      return taken?.frames.map((frame) => frame.n);
    });
    expect(windows).toEqual([[101], [101, 102], [101, 102, 103]]);
  });
});
