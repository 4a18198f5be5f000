import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Fraction,
  type ModelAlgorithm,
  type ModelCall,
  playByIndex,
} from '../../../test/model/reference-model.ts';
import { resultFor, type SimulatedFrame, simulateOffline } from '../../../test/model/simulated-run.ts';
import { algorithm, anyAlgorithms, sourceFacts, specOf, streamSpec } from '../../../test/model/specs.ts';
import { parseConfiguration } from './configuration-fault.ts';
import { resolveStreams } from './resolve-streams.ts';
import { samplePlan } from './sample-plan.ts';
import { StreamSchedule } from './stream-schedule.ts';
import type { StreamAlgorithm } from './stream-spec.ts';
import { upstreamFault, upstreamFirst, upstreamNames } from './upstream.ts';

const FPS: Fraction = [10, 1];

const dependent = (name: string, after: readonly string[], given: Partial<StreamAlgorithm> = {}): StreamAlgorithm => {
  const { interval: _, ...rest } = algorithm({ ...given, name, definition: name, after });
  return rest;
};

type Dependent = { readonly name: string; readonly after: readonly string[]; frameCount: number; frameStep: number };

/** Up to four that come after some of those before them. */
const anyDependents = (roots: readonly ModelAlgorithm[]): fc.Arbitrary<Dependent[]> =>
  fc
    .array(
      fc.record({
        frameCount: fc.integer({ min: 0, max: 3 }),
        frameStep: fc.integer({ min: 0, max: 4 }),
        picks: fc.uniqueArray(fc.nat(), { minLength: 1, maxLength: 2 }),
      }),
      { minLength: 1, maxLength: 4 },
    )
    .map((all) =>
      all.map(({ frameCount, frameStep, picks }, i) => {
        const before = [...roots.map(({ name }) => name), ...all.slice(0, i).map((_, at) => `dependent${at}`)];
        const after = [...new Set(picks.map((pick) => before[pick % before.length] ?? ''))];
        return { name: `dependent${i}`, after, frameCount, frameStep };
      }),
    );

/** In the plainest way: at every n where all that it comes after have a call, what an algorithm that is always due is handed. */
function modelCalls(length: number, roots: readonly ModelAlgorithm[], dependents: readonly Dependent[]): ModelCall[] {
  const calls = [...playByIndex(length, FPS, FPS, [0, 1], roots).calls];
  for (const { name, after, frameCount, frameStep } of dependents) {
    const always = { name, frameCount: Math.max(frameCount, 1), frameStep, interval: [1, 10] as const };
    const windows = playByIndex(length, FPS, FPS, [0, 1], [frameCount === 0 ? { ...always, frameStep: 0 } : always]);
    const due = windows.calls.filter(({ n }) =>
      after.every((upstream) => calls.some((call) => call.algorithm === upstream && call.n === n)),
    );
    calls.push(...due.map((call) => (frameCount === 0 ? { ...call, frames: [] } : call)));
  }
  return calls;
}

describe('an algorithm that comes after others, against the model', () => {
  test('is invoked where all of them have a result, in order, with what they said and its own frames, without a stall', () => {
    fc.assert(
      fc.property(
        anyAlgorithms(10).chain((roots) => fc.tuple(fc.constant(roots), anyDependents(roots))),
        fc.integer({ min: 0, max: 300 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 2, max: 9 }),
        fc.integer(),
        ([roots, dependents], length, maxInFlight, every, seed) => {
          const spec = specOf(roots, FPS, [0, 1], maxInFlight);
          const after = dependents.map((one) => dependent(one.name, one.after, { ...one, maxInFlight }));
          // Dependents first: the order of the list says nothing.
          const plan = samplePlan({ ...spec, algorithms: [...after, ...spec.algorithms] }, sourceFacts({ fps: '10' }));
          const fails = (name: string, n: number): boolean =>
            name === 'algorithm0'
              ? n % every === 0
              : (dependents.find((one) => one.name === name)?.after.some((upstream) => fails(upstream, n)) ?? false);
          const times = Array.from({ length }, (_, i) => i * 100);
          const { published, schedule, fault } = simulateOffline(plan, times, seed, fails);
          expect(fault).toBeUndefined();
          const model = modelCalls(length, roots, dependents);
          for (const { algorithm: planned, ledger } of schedule.schedules) {
            const expected = model.filter((call) => call.algorithm === planned.name);
            expect(published.filter((call) => call.algorithm === planned.name)).toEqual(expected);
            expect(ledger.totals.triggered).toBe(expected.length);
            expect(ledger.totals.failed).toBe(expected.filter(({ n }) => fails(planned.name, n)).length);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('realtime', () => {
  const algorithms = [
    algorithm({ name: 'faces', intervalFrames: 1, maxInFlight: 1 }),
    dependent('tracks', ['faces'], { frameCount: 0, maxInFlight: 1 }),
    dependent('names', ['tracks'], { maxInFlight: 1 }),
  ];
  const plan = samplePlan(streamSpec({ mode: 'realtime', fps: '10', algorithms }), sourceFacts({ fps: '10' }));

  test('what is dropped upstream triggers nothing, and holds no frame for it', () => {
    const schedule = new StreamSchedule<SimulatedFrame, null>({ plan, mode: 'realtime', live: false });
    const [faces, tracks, names] = schedule.schedules;
    if (!faces || !tracks || !names) throw new Error('the plan has three');
    const frame = (n: number): void => schedule.frame({ n, sequence: n, sourceIndex: n - 1 }, n - 1, n * 100, 0);
    const answer = (one: typeof faces, nowMs: number): number | undefined => {
      const trigger = one.take(nowMs);
      if (trigger === undefined) return undefined;
      one.answered(trigger, null);
      one.ready();
      one.settle(
        trigger.n,
        'completed',
        resultFor(one.algorithm.name, trigger.n, () => false),
      );
      return trigger.n;
    };
    for (const n of [1, 2, 3]) frame(n);
    // The first two were replaced before a runner had room.
    expect(answer(faces, 300)).toBe(3);
    expect(faces.ledger.totals.dropped).toEqual({ replaced: 2 });
    expect([tracks.ledger.triggered, names.ledger.triggered]).toEqual([1, 0]);
    expect([answer(tracks, 300), answer(names, 300)]).toEqual([3, 3]);
    expect(names.ledger.totals).toEqual({ triggered: 1, completed: 1, failed: 0, dropped: {} });
    expect(schedule.release()).toBe(3);
    schedule.end(3);
    expect(schedule.complete).toBe(true);
  });

  test('each of a chain has its own time from capture on, behind that of what it comes after', () => {
    const schedule = new StreamSchedule<SimulatedFrame, null>({ plan, mode: 'realtime', live: false });
    expect(schedule.schedules.map(({ algorithm: { maxStalenessMs } }) => maxStalenessMs)).toEqual([
      1_000, 2_000, 3_000,
    ]);
  });
});

test('a stop drops what comes after a window that is under way, and it triggers nothing more', () => {
  const algorithms = [algorithm({ name: 'faces', intervalFrames: 1 }), dependent('tracks', ['faces'])];
  const plan = samplePlan(streamSpec({ fps: '10', algorithms }), sourceFacts({ fps: '10' }));
  const schedule = new StreamSchedule<SimulatedFrame, null>({ plan, mode: 'offline', live: false });
  const [faces, tracks] = schedule.schedules;
  for (const n of [1, 2]) schedule.frame({ n, sequence: n, sourceIndex: n - 1 }, n - 1, 0, 0);
  const underWay = faces?.take(0);
  schedule.stop();
  expect(schedule.complete).toBe(false);
  if (underWay) faces?.answered(underWay, null);
  faces?.settle(
    1,
    'completed',
    resultFor('faces', 1, () => false),
  );
  expect(faces?.ledger.totals).toEqual({ triggered: 2, completed: 1, failed: 0, dropped: { stopped: 1 } });
  expect(tracks?.ledger.totals).toEqual({ triggered: 1, completed: 0, failed: 0, dropped: { stopped: 1 } });
  expect(schedule.complete).toBe(true);
});

describe('a stream that is taken over', () => {
  const algorithms = [
    algorithm({ name: 'faces', frameCount: 2, frameStep: 2, intervalFrames: 2 }),
    dependent('tracks', ['faces'], { frameCount: 0 }),
  ];
  const plan = samplePlan(streamSpec({ fps: '10', algorithms }), sourceFacts({ fps: '10' }));
  const takeOver = (results: ReadonlyMap<number, ReturnType<typeof resultFor>>) => {
    const progress = new Map([
      ['faces', { answeredThrough: 8, results }],
      ['tracks', { answeredThrough: 4 }],
    ]);
    const schedule = new StreamSchedule<SimulatedFrame, null>({ plan, mode: 'offline', live: false, progress });
    // What tracks has not come to still stands in the buffer.
    for (const n of [6, 8, 10]) schedule.frame({ n, sequence: n / 2, sourceIndex: n - 1 }, n - 2, 0, 0);
    return schedule.schedules[1];
  };

  test('goes on with the results that stand on the bus', () => {
    const tracks = takeOver(new Map([6, 8].map((n) => [n, resultFor('faces', n, () => false)])));
    expect(tracks?.take(0)).toMatchObject({ n: 6, inputs: new Map([['faces', resultFor('faces', 6, () => false)]]) });
    expect([tracks?.take(0)?.n, tracks?.take(0)]).toEqual([8, undefined]);
  });

  test('answers what is gone there with an error that says so (R-10)', () => {
    const tracks = takeOver(new Map([[8, resultFor('faces', 8, () => false)]]));
    const failed = tracks?.takeFailed();
    expect(failed?.trigger.n).toBe(6);
    expect(failed?.fault).toMatchObject({ code: 'UPSTREAM_FAILED', message: expect.stringContaining('gone') });
    expect([tracks?.takeFailed(), tracks?.take(0)?.n]).toEqual([undefined, 8]);
  });
});

describe('in a configuration', () => {
  const use = 'frame-stats';
  const resolve = (algorithms: readonly object[], list?: readonly unknown[]) =>
    resolveStreams(
      parseConfiguration(
        {
          algorithms: algorithms.map((one) => ({ use, ...one })),
          streams: [{ id: 'lobby', source: 'lobby.mp4', ...(list && { algorithms: list }) }],
        },
        'c.yaml',
      ),
      (path) => path,
    )[0]?.algorithms;
  const refusal = (...given: Parameters<typeof resolve>): string => {
    try {
      resolve(...given);
    } catch (error) {
      return String(error);
    }
    return 'accepted';
  };

  test('what comes after others has no interval of its own', () => {
    const faces = { name: 'faces', interval: 1 };
    expect(resolve([faces, { name: 'tracks', after: 'faces', frameCount: 0 }])?.[1]).toEqual({
      name: 'tracks',
      definition: 'tracks',
      frameCount: 0,
      frameStep: 0,
      after: ['faces'],
      timeoutMs: 10_000,
      maxInFlight: 8,
      maxAttempts: 3,
    });
    expect(refusal([faces, { name: 'tracks', after: 'faces', interval: 1 }])).toMatch(/CONFIG_INVALID.*give after, or/);
    expect(refusal([{ ...faces, frameCount: 0 }])).toMatch(/CONFIG_INVALID.*faces.*frameCount is 0.*needs after/);
    // The stream's own pace stands in place of the definition's.
    const list = ['faces', { name: 'tracks', intervalFrames: 3, frameCount: 1 }];
    expect(resolve([faces, { name: 'tracks', after: ['faces'], frameCount: 0 }], list)?.[1]).toMatchObject({
      intervalFrames: 3,
    });
    const renamed = [
      { name: 'faces', as: 'front' },
      { name: 'tracks', after: ['front', 'front'] },
    ];
    expect(resolve([faces, { name: 'tracks', after: 'faces' }], renamed)?.[1]?.after).toEqual(['front']);
  });

  test('unknown names and cycles are refused by name', () => {
    const cycle = [
      { name: 'a', after: 'c' },
      { name: 'b', after: 'a' },
      { name: 'c', after: ['b'] },
    ];
    expect(refusal(cycle)).toContain(
      'CONFIG_INVALID: c.yaml: algorithm a comes after itself (a after c after b after a)',
    );
    expect(refusal([{ name: 'a', after: 'a' }])).toContain('(a after a)');
    expect(refusal([{ name: 'faces' }, { name: 'tracks', after: 'face' }])).toMatch(
      /CONFIG_INVALID: c.yaml: algorithm tracks comes after face, which is not there: did you mean faces\?/,
    );
    // This stream leaves out what another comes after.
    expect(refusal([{ name: 'faces' }, { name: 'tracks', after: 'faces' }], ['tracks'])).toMatch(
      /CONFIG_INVALID: stream lobby: algorithm tracks comes after faces, which is not there/,
    );
  });

  test('several are due together', () => {
    const spec = streamSpec({
      algorithms: [
        algorithm({ name: 'a', intervalFrames: 4 }),
        algorithm({ name: 'b', intervalFrames: 6 }),
        dependent('both', ['a', 'b']),
      ],
    });
    expect(samplePlan(spec, sourceFacts()).algorithms[2]).toMatchObject({ intervalFrames: 12, after: ['a', 'b'] });
  });
});

test('an error upstream is told with the name of who has it', () => {
  const results = new Map([
    ['faces', { kind: 'data', json: new Uint8Array() } as const],
    ['hands', { kind: 'error', fault: { code: 'ALGORITHM_FAILED', message: 'it threw' } } as const],
  ]);
  expect(String(upstreamFault(results))).toBe(
    'UPSTREAM_FAILED: hands has no data for this window (ALGORITHM_FAILED: it threw)',
  );
  results.delete('hands');
  expect(upstreamFault(results)).toBeUndefined();
  expect(upstreamNames(undefined)).toBeUndefined();
  expect(upstreamFirst([{ name: 'b', after: ['a'] }, { name: 'a' }], 'x').map(({ name }) => name)).toEqual(['a', 'b']);
});
