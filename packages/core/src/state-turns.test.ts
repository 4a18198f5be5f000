import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { simulateRemembering } from '../../../test/model/simulated-memory.ts';
import type { SimulatedFrame } from '../../../test/model/simulated-run.ts';
import { algorithm, sourceFacts, streamSpec } from '../../../test/model/specs.ts';
import type { Trigger } from './prepared-windows.ts';
import { RetainedWindows } from './retained-windows.ts';
import { samplePlan, snapshotEvery } from './sample-plan.ts';
import { type Snapshot, StateTurns } from './state-turns.ts';
import type { Mode } from './stream-spec.ts';

const window = (n: number): Trigger<SimulatedFrame> => ({
  n,
  frames: [{ n, sequence: n, sourceIndex: n }],
  triggeredAtMs: 0,
  capturedAtMs: 0,
});
const bytes = (n: number): Uint8Array => Uint8Array.of(n);

function setUp(mode: Mode, given: { snapshot?: Snapshot; hasRun?: boolean } = {}) {
  const retained = new RetainedWindows<SimulatedFrame>();
  const turns = new StateTurns<SimulatedFrame, string>({
    mode,
    retained,
    snapshot: given.snapshot,
    hasRun: given.hasRun ?? false,
    snapshotEvery: 3,
  });
  /** The next window, or what is to be run again before it, is run; with a snapshot where one is wanted and `can`. */
  const run = (n: number, home: string, { can = true, failed = false, nowMs = n * 100 } = {}) => {
    const turn = turns.turn(home, nowMs);
    const ran = turn.replay ?? window(n);
    turns.ran(ran, turn, turn.takeSnapshot && can ? bytes(ran.n) : undefined, failed, nowMs);
    return { ...turn, n: ran.n };
  };
  return { retained, turns, run };
}

describe('offline', () => {
  test('an instance is made for the first window, is asked at once and then every so often for a snapshot', () => {
    const { run, retained, turns } = setUp('offline');
    const said = [1, 2, 3, 4, 5].map((n) => run(n, 'one'));
    expect(said.map(({ begin }) => begin)).toEqual([true, false, false, false, false]);
    expect(said.map(({ afterN }) => afterN)).toEqual([0, 1, 2, 3, 4]);
    expect(said.map(({ takeSnapshot }) => takeSnapshot)).toEqual([true, false, false, true, false]);
    // What is not stored yet may have to be run again.
    expect(retained.size).toBe(5);
    turns.stored(4);
    expect([retained.size, retained.neededFrom]).toEqual([1, 5]);
    expect(turns.home).toBe('one');
  });

  test('another instance begins from the newest snapshot and runs again what came after it, then what is next', () => {
    const { run, turns } = setUp('offline');
    for (const n of [1, 2, 3, 4, 5, 6]) run(n, 'one');
    turns.stored(4);
    turns.lost();
    expect(turns.replays).toBe(true);
    expect(run(7, 'two')).toMatchObject({ n: 5, afterN: 4, begin: true, snapshot: bytes(4), takeSnapshot: false });
    // The last of these gives a snapshot, so that nothing is run a third time.
    expect(run(7, 'two')).toMatchObject({ n: 6, afterN: 5, begin: false, takeSnapshot: true });
    expect(turns.replays).toBe(false);
    expect(run(7, 'two')).toMatchObject({ n: 7, afterN: 6, begin: false, stateReset: false });
  });

  test('a window that ended its instance is not run again', () => {
    const { run, turns } = setUp('offline');
    for (const n of [1, 2]) run(n, 'one');
    run(3, 'one', { failed: true });
    turns.missing();
    expect(run(4, 'one')).toMatchObject({ n: 2, afterN: 1, begin: true });
    expect(run(4, 'one')).toMatchObject({ n: 4, afterN: 2 });
  });

  test('without snapshots nothing but the whole stream brings back what was remembered', () => {
    const { run, retained, turns } = setUp('offline');
    run(1, 'one', { can: false });
    expect(run(2, 'one', { can: false })).toMatchObject({ takeSnapshot: false });
    expect([retained.size, turns.needsRewind]).toEqual([0, false]);
    turns.lost();
    expect(turns.needsRewind).toBe(true);
  });

  test('what a runner gives unasked as it drains is begun from', () => {
    const { run, turns } = setUp('offline');
    for (const n of [1, 2]) run(n, 'one');
    const turn = turns.turn('one', 0);
    expect(turn.takeSnapshot).toBe(false);
    turns.ran(window(3), turn, bytes(3), false, 0);
    turns.lost();
    expect(run(4, 'two')).toMatchObject({ n: 4, afterN: 3, begin: true, snapshot: bytes(3) });
  });

  test('an instance that is lost in its first window is made anew', () => {
    const { run, turns } = setUp('offline');
    turns.turn('one', 0);
    turns.lost();
    expect(turns.needsRewind).toBe(false);
    expect(run(1, 'two')).toMatchObject({ n: 1, afterN: 0, begin: true });
  });

  test('a successor begins from the snapshot that is stored, and runs again what is answered', () => {
    const { run, retained, turns } = setUp('offline', { snapshot: { n: 4, bytes: bytes(4) }, hasRun: true });
    for (const n of [5, 6]) retained.add(window(n));
    expect(turns.replays).toBe(true);
    expect([run(7, 'one'), run(7, 'one'), run(7, 'one')].map(({ n }) => n)).toEqual([5, 6, 7]);
    retained.miss('frames');
    expect(turns.needsRewind).toBe(false);
    turns.lost();
    expect(turns.needsRewind).toBe(true);
  });
});

describe('realtime', () => {
  test('nothing is run again: another instance goes on from the newest snapshot', () => {
    const { run, retained, turns } = setUp('realtime');
    const said = [1, 2, 3, 11, 12].map((n) => run(n, 'one'));
    // A second apart.
    expect(said.map(({ takeSnapshot }) => takeSnapshot)).toEqual([true, false, false, true, false]);
    turns.lost();
    expect(run(15, 'two')).toMatchObject({ n: 15, afterN: 11, begin: true, snapshot: bytes(11), stateReset: false });
    expect([retained.size, turns.needsRewind]).toEqual([0, false]);
  });

  test('without snapshots it remembers anew, and its next result says so', () => {
    const { run, turns } = setUp('realtime');
    expect(run(1, 'one', { can: false }).stateReset).toBe(false);
    turns.lost();
    expect(run(2, 'two', { can: false })).toMatchObject({ begin: true, stateReset: true });
    expect(run(3, 'two', { can: false })).toMatchObject({ begin: false, stateReset: false });
    expect(setUp('realtime', { hasRun: true }).run(9, 'one').stateReset).toBe(true);
  });
});

test('snapshots are as far apart as the buffer has room for', () => {
  const every = (intervalFrames: number, maxInFlight: number, ...others: number[]): number => {
    const algorithms = [intervalFrames, ...others].map((frames, i) =>
      algorithm({ name: `a${i}`, intervalFrames: frames, maxInFlight }),
    );
    const plan = samplePlan(streamSpec({ algorithms }), sourceFacts());
    const [first] = plan.algorithms;
    return first ? snapshotEvery(plan, first) : 0;
  };
  expect([every(1, 8), every(30, 8), every(8, 8, 1), every(16, 8, 1), every(300, 8, 1), every(1, 1)]).toEqual([
    8, 8, 8, 4, 1, 1,
  ]);
});

test('however often instances, schedulers and both are lost, each window is published once, with all that came before it', () => {
  fc.assert(
    fc.property(
      fc.record({
        intervalFrames: fc.integer({ min: 1, max: 40 }),
        frameCount: fc.integer({ min: 1, max: 4 }),
        frameStep: fc.integer({ min: 0, max: 3 }),
        maxInFlight: fc.integer({ min: 1, max: 9 }),
        otherInterval: fc.integer({ min: 1, max: 40 }),
        comesAfter: fc.boolean(),
        length: fc.integer({ min: 0, max: 300 }),
        seed: fc.integer(),
      }),
      (given) => {
        const { published, expected, fault } = simulateRemembering(given);
        expect(fault).toBeUndefined();
        expect(published).toEqual(expected);
      },
    ),
    { numRuns: 300 },
  );
});
