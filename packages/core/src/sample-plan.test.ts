import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import given from '../../../test/conformance/given.json' with { type: 'json' };
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
import { mostNeededIn } from './needed-frames.ts';
import { bufferCapacity, isNeeded, nOfIndex, samplePlan, slotOf, sourceIndexOf } from './sample-plan.ts';

const planOf = (fps: string | undefined, source: string, one = {}, position = '0') =>
  samplePlan(
    streamSpec({ ...(fps !== undefined && { fps }), position, algorithms: [algorithm(one)] }),
    sourceFacts({ fps: source }),
  );
const dueEvery = (fps: string | undefined, source: string, interval: string) =>
  planOf(fps, source, { interval }).algorithms[0]?.intervalFrames;

describe('which source frames are played', () => {
  for (const { name, video, fps, position, played, played_sha256 } of given)
    test(`as recorded from the original: ${name}`, () => {
      const rate = { 'counter25.mp4': '25', 'counter60.mp4': '60', 'counter2997.mp4': '30000/1001' }[video] ?? '30';
      const plan = planOf(String(fps), rate, {}, String(position));
      const indices = Array.from({ length: played }, (_, k) => sourceIndexOf(plan, plan.firstN + k));
      expect(createHash('sha256').update(JSON.stringify(indices)).digest('hex')).toBe(played_sha256);
    });

  test('24 played at 7 does not drift as floating point does', () => {
    const plan = planOf('7', '24');
    expect(sourceIndexOf(plan, 1 + 7 * 100_000)).toBe(2_400_000);
  });

  test('the number of a source frame and the source frame of a number are inverse', () => {
    fc.assert(
      fc.property(
        anyFps,
        anyFps,
        anyPosition,
        fc.integer({ min: 0, max: 100_000 }),
        (source, asked, position, index) => {
          const plan = planOf(fractionText(asked), fractionText(source), { intervalFrames: 1 }, fractionText(position));
          const n = nOfIndex(plan, index);
          if (n !== undefined) expect(sourceIndexOf(plan, n)).toBe(index);
          const k = plan.firstN + (index % 1_000);
          expect(nOfIndex(plan, sourceIndexOf(plan, k))).toBe(k);
        },
      ),
    );
  });
});

describe('numbers and rates', () => {
  test('with a start position the first n is floor(fps × p) + 1 and the first frame floor(p × source fps)', () => {
    expect(planOf('5', '25', {}, '2.3')).toMatchObject({ firstN: 12, startIndex: 57 });
    expect(planOf('30', '30000/1001', {}, '2')).toMatchObject({ firstN: 60, startIndex: 59 });
  });

  test('by index the effective rate is never above the source’s; by time it is what was asked for', () => {
    expect(planOf('30', '25').fps).toEqual({ num: 25, den: 1 });
    expect(planOf(undefined, '30000/1001').fps).toEqual({ num: 30000, den: 1001 });
    const spec = streamSpec({ fps: '30' });
    expect(samplePlan(spec, sourceFacts({ fps: '14', sampling: 'time' })).fps).toEqual({ num: 30, den: 1 });
  });

  test('a camera that sends clearly fewer frames than was asked for is played at its own rate', () => {
    const camera = (fps: string, more = {}) =>
      samplePlan(streamSpec({ fps: '10' }), sourceFacts({ fps, sampling: 'time', live: true, ...more })).fps;
    expect(camera('5')).toEqual({ num: 5, den: 1 });
    expect(camera('9')).toEqual({ num: 9, den: 1 });
    expect(camera('9.1')).toEqual({ num: 10, den: 1 });
    expect(camera('25')).toEqual({ num: 10, den: 1 });
    expect(camera('5', { clocked: true })).toEqual({ num: 10, den: 1 });
  });

  test('the due rule takes the configured rate where the source is below it by less than 1 %', () => {
    expect(dueEvery('30', '30000/1001', '1')).toBe(30);
    expect(dueEvery(undefined, '30000/1001', '1')).toBe(29);
    expect(dueEvery('30', '29.7', '10')).toBe(297);
    expect(dueEvery('30', '29.71', '10')).toBe(300);
    expect(dueEvery('30', '25', '1')).toBe(25);
    expect(dueEvery('30', '60', '1')).toBe(30);
  });

  test('intervals are exact where floating point falls short', () => {
    expect(dueEvery('25', '25', '1.16')).toBe(29);
    expect(dueEvery('30', '30', '0.1')).toBe(3);
    expect(planOf('30', '30', { intervalFrames: 7 }).algorithms[0]?.intervalFrames).toBe(7);
  });

  test('an interval shorter than a frame is refused with what would do', () => {
    const plan = () => planOf('30', '30', { name: 'faces', interval: '0.033' });
    expect(plan).toThrow(expect.objectContaining({ code: 'INTERVAL_TOO_SHORT' }));
    expect(plan).toThrow(/stream lobby, algorithm faces: an interval of 0.033 s .* 30 fps.* at least 1\/30 s/);
  });

  test('a window larger than the buffer is refused, one that just fits is not', () => {
    const plan = (buffer: number) =>
      samplePlan(streamSpec({ buffer, algorithms: [algorithm({ frameCount: 3, frameStep: 10 })] }), sourceFacts());
    expect(() => plan(29)).toThrow(/spans 30 played frames and the buffer holds 29.*set buffer to 30/);
    expect(plan(30).algorithms[0]?.span).toBe(30);
  });
});

describe('slots of presentation times', () => {
  const plan = (fps: string) => samplePlan(streamSpec({ fps }), sourceFacts({ sampling: 'time' }));

  test('a frame up to a millisecond early falls into the slot it belongs to', () => {
    const base = { num: 1, den: 1000 };
    expect([0, 98, 99, 100, 198, 199].map((ms) => slotOf(plan('10'), 128 + ms, 128, base))).toEqual([1, 1, 2, 2, 2, 3]);
  });

  test('in ticks of 1/90000 after a month, exactly', () => {
    const month = 30 * 86_400;
    const slot = slotOf(plan('30000/1001'), 90_000 * month, 0, { num: 1, den: 90_000 });
    expect(slot).toBe(Math.floor(((month + 0.001) * 30_000) / 1001) + 1);
  });
});

describe('which frames are published', () => {
  test('exactly those that some window, once it is filled, holds', () => {
    fc.assert(
      fc.property(
        anyFps.chain((fps) => fc.tuple(fc.constant(fps), anyAlgorithms(fps[0] / fps[1]))),
        ([fps, algorithms]) => {
          const plan = samplePlan(specOf(algorithms, fps, [0, 1], 1), sourceFacts({ fps: fractionText(fps) }));
          const wanted = new Set<number>();
          for (const { intervalFrames, frameCount, frameStep } of plan.algorithms)
            for (let due = intervalFrames; due < 3_000; due += intervalFrames)
              for (let i = 0; i < frameCount; i += 1) wanted.add(due - i * Math.max(frameStep, 1));
          for (let n = 1; n < 2_000; n += 1) expect(isNeeded(plan, n)).toBe(wanted.has(n));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('by time all of them as soon as a window holds two, since any slot may be a gap', () => {
    const needed = (frameCount: number) =>
      samplePlan(streamSpec({ algorithms: [algorithm({ frameCount })] }), sourceFacts({ sampling: 'time' })).needed;
    expect(needed(2)).toEqual({ kind: 'all' });
    expect(needed(1)).toEqual({ kind: 'residues', sets: [{ modulus: 30, ranges: [[0, 0]] }] });
  });

  test('no stretch of frames needs more than is reckoned with', () => {
    fc.assert(
      fc.property(
        anyFps.chain((fps) => fc.tuple(fc.constant(fps), anyAlgorithms(fps[0] / fps[1]))),
        fc.integer({ min: 1, max: 100 }),
        ([fps, algorithms], length) => {
          const plan = samplePlan(specOf(algorithms, fps, [0, 1], 1), sourceFacts({ fps: fractionText(fps) }));
          const most = mostNeededIn(plan.needed, length);
          let inside = 0;
          let seen = 0;
          for (let n = 1; n < 3_000; n += 1) {
            inside += Number(isNeeded(plan, n)) - Number(n > length && isNeeded(plan, n - length));
            seen = Math.max(seen, inside);
          }
          expect(seen).toBeLessThanOrEqual(most);
          if (algorithms.length === 1) expect(seen).toBe(most);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('the capacity of the buffer', () => {
  const capacity = (mode: 'offline' | 'realtime', ...given: Parameters<typeof algorithm>[0][]) =>
    bufferCapacity(samplePlan(streamSpec({ algorithms: given.map(algorithm) }), sourceFacts()), mode);

  test('offline holds the longest window, maxInFlight windows and some slack', () => {
    expect(capacity('offline', { maxInFlight: 8 })).toBe(1 + 8 + 8);
    expect(capacity('offline', { maxInFlight: 2, frameCount: 5, frameStep: 6 })).toBe(5 + 10 + 8);
    expect(capacity('offline', { maxInFlight: 8, frameCount: 16, intervalFrames: 16 })).toBe(16 + 128 + 8);
  });

  test('an algorithm due once an hour does not make it hold hours of another’s frames', () => {
    expect(capacity('offline', { intervalFrames: 1 }, { name: 'b', interval: '3600' })).toBeLessThan(100);
  });

  test('in realtime holds what is published while a window waits, and never less than 4', () => {
    expect(capacity('realtime', { interval: '10' })).toBe(4);
    expect(capacity('realtime', { intervalFrames: 1 })).toBeGreaterThan(60);
    expect(capacity('realtime', { intervalFrames: 1 })).toBeLessThan(70);
  });

  test('in realtime follows maxStalenessMs where it is given, and no long interval by itself (EX-3)', () => {
    expect(capacity('realtime', { intervalFrames: 1, maxStalenessMs: 100 })).toBe(1 + 1 + Math.ceil(30 * 1.2));
    expect(capacity('realtime', { intervalFrames: 1, maxStalenessMs: 5_000 })).toBe(1 + 1 + Math.ceil(30 * 6.1));
    expect(capacity('realtime', { intervalFrames: 1 }, { name: 'b', interval: '3600' })).toBeLessThan(70);
  });
});

test('a window may be as old as asked for, else as the interval is long, and at least a second', () => {
  const planOf = (given: Parameters<typeof algorithm>[0]) =>
    samplePlan(streamSpec({ algorithms: [algorithm(given)] }), sourceFacts()).algorithms[0]?.maxStalenessMs;
  expect([{ interval: '0.5' }, { interval: '10' }, { interval: '10', maxStalenessMs: 40 }].map(planOf)).toEqual([
    1_000, 10_000, 40,
  ]);
});
