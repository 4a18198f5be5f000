import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameHistory, type PublishedFrame } from './frame-history.ts';
import { Schedule, type Trigger } from './schedule.ts';
import type { Mode } from './stream-spec.ts';

function setUp(mode: Mode, maxInFlight: number, staleAfterMs = 1_000) {
  const history = new FrameHistory<PublishedFrame>('index');
  const schedule = new Schedule<PublishedFrame, number>({
    algorithm: {
      name: 'a',
      definition: 'a',
      frameCount: 1,
      frameStep: 0,
      intervalFrames: 1,
      span: 1,
      timeoutMs: 1_000,
      maxInFlight,
    },
    mode,
    start: 1,
    filledFrom: 1,
    staleAfterMs,
    progress: { answeredThrough: 0 },
  });
  let n = 0;
  return {
    schedule,
    frame: (nowMs: number, ageMs = 0) => {
      n += 1;
      history.push({ n, sequence: n }, false);
      schedule.frame(n, history, nowMs, ageMs);
    },
    take: (nowMs: number): Trigger<PublishedFrame> => {
      const trigger = schedule.take(nowMs);
      if (trigger === undefined) throw new Error('nothing to take');
      return trigger;
    },
  };
}

describe('offline', () => {
  test('everything due waits its turn, maxInFlight at once', () => {
    const { schedule, frame, take } = setUp('offline', 2);
    for (let i = 0; i < 5; i += 1) frame(0);
    const [first, second] = [take(0), take(0)];
    expect([first.n, second.n, schedule.take(0)]).toEqual([1, 2, undefined]);
    schedule.answered(second, 0);
    expect([take(0).n, schedule.take(0)]).toEqual([3, undefined]);
  });

  test('a window that comes back goes before younger ones and keeps its frames', () => {
    const { schedule, frame, take } = setUp('offline', 2);
    for (let i = 0; i < 4; i += 1) frame(0);
    const first = take(0);
    take(0);
    schedule.giveBack(first, 60_000);
    expect(schedule.neededFrom(4)).toBe(1);
    expect(take(60_000)).toBe(first);
  });

  test('answers that wait for an older one do not pile up without bound', () => {
    const { schedule, frame, take } = setUp('offline', 2);
    for (let i = 0; i < 200; i += 1) frame(0);
    take(0);
    let answered = 0;
    for (let next = schedule.take(0); next !== undefined; next = schedule.take(0)) {
      schedule.answered(next, 0);
      answered += 1;
    }
    expect(answered).toBe(65);
  });
});

describe('in realtime', () => {
  test('a window that came back and was dropped holds no later answer back', () => {
    const { schedule, frame, take } = setUp('realtime', 2, 1_000);
    frame(0);
    schedule.giveBack(take(0), 100);
    frame(200);
    schedule.answered(take(200), 7);
    expect(schedule.ready().map(({ trigger, answer }) => [trigger.n, answer])).toEqual([[2, 7]]);
    frame(300);
    schedule.giveBack(take(300), 400);
    expect(schedule.take(1_300)).toBeUndefined();
    frame(1_300);
    schedule.answered(take(1_300), 8);
    expect(schedule.ready().map(({ trigger, answer }) => [trigger.n, answer])).toEqual([[4, 8]]);
  });

  test('only the newest window waits; what it replaces is counted', () => {
    const { schedule, frame, take } = setUp('realtime', 1);
    for (let i = 0; i < 5; i += 1) frame(i);
    expect(schedule.waiting).toBe(1);
    expect(take(5).n).toBe(5);
    expect(schedule.ledger.totals).toEqual({ triggered: 4, completed: 0, failed: 0, dropped: { replaced: 4 } });
    expect(schedule.ledger.open).toBe(1);
  });

  test('a window is stale once its age at the ingest and its wait here exceed the limit', () => {
    const { schedule, frame, take } = setUp('realtime', 1, 1_000);
    frame(0, 400);
    expect(schedule.take(600)).toBeUndefined();
    expect(schedule.ledger.totals.dropped).toEqual({ stale: 1 });
    frame(1_000, 400);
    expect(schedule.budgetMs(take(1_100), 1_100)).toBe(500);
  });

  test('a window that comes back gives way to a newer one, and is stale in its time', () => {
    const { schedule, frame, take } = setUp('realtime', 2, 1_000);
    frame(0);
    const first = take(0);
    frame(100);
    schedule.giveBack(first, 100);
    schedule.giveBack(take(100), 1_100);
    expect(schedule.ledger.totals.dropped).toEqual({ replaced: 1, stale: 1 });
    expect(schedule.idle).toBe(true);
  });
});

test('what comes back unanswered after the run was stopped is dropped, and not sent again', () => {
  const { schedule, frame, take } = setUp('offline', 1);
  frame(0);
  const first = take(0);
  schedule.stop();
  schedule.giveBack(first, 0);
  expect([schedule.canTake, schedule.idle]).toEqual([false, true]);
  expect(schedule.ledger.totals).toEqual({ triggered: 1, completed: 0, failed: 0, dropped: { stopped: 1 } });
});

test.each([
  ['realtime', true, { stale: 1 }],
  ['offline', false, {}],
] as const)('%s: the last window, which no runner takes, expires: %s', (mode, idle, dropped) => {
  const { schedule, frame } = setUp(mode, 1, 1_000);
  frame(0, 100);
  schedule.end();
  schedule.expire(899);
  expect(schedule.idle).toBe(false);
  schedule.expire(900);
  expect(schedule.idle).toBe(idle);
  expect(schedule.ledger.totals.dropped).toEqual(dropped);
});

test('what waits when the run is stopped is dropped as such', () => {
  const { schedule, frame, take } = setUp('offline', 1);
  frame(0);
  frame(0);
  take(0);
  schedule.stop();
  expect(schedule.idle).toBe(false);
  schedule.settle(1, 'failed');
  expect(schedule.ledger.totals).toEqual({ triggered: 2, completed: 0, failed: 1, dropped: { stopped: 1 } });
});

/** Everything that may happen to one algorithm, in any order, with what is expected of it kept beside it. */
function randomLife(mode: Mode, maxInFlight: number) {
  const { schedule, frame } = setUp(mode, maxInFlight, 50);
  const underWay: Trigger<PublishedFrame>[] = [];
  const published: number[] = [];
  let nowMs = 0;
  let frames = 0;
  const pickOne = (pick: number) => underWay.splice(pick % Math.max(underWay.length, 1), 1)[0];
  const steps = {
    wait(pick: number) {
      nowMs += pick;
    },
    frame() {
      frames += 1;
      frame(nowMs);
    },
    take() {
      const trigger = schedule.take(nowMs);
      if (trigger !== undefined) underWay.push(trigger);
    },
    answer(pick: number) {
      const one = pickOne(pick);
      if (one !== undefined) schedule.answered(one, one.n);
    },
    lose(pick: number) {
      const one = pickOne(pick);
      if (one !== undefined) schedule.giveBack(one, nowMs);
    },
  };
  return {
    step(kind: keyof typeof steps, pick: number) {
      steps[kind](pick);
      for (const { trigger, answer } of schedule.ready()) {
        expect(answer).toBe(trigger.n);
        published.push(answer);
        schedule.settle(answer, 'completed');
      }
    },
    check() {
      expect(schedule.underWay).toBe(underWay.length);
      expect(schedule.underWay).toBeLessThanOrEqual(maxInFlight);
      if (mode === 'realtime') expect(schedule.waiting).toBeLessThanOrEqual(1);
      const { totals, open } = schedule.ledger;
      const dropped = Object.values(totals.dropped).reduce((sum, count) => sum + count, 0);
      expect(totals.completed + totals.failed + dropped + open).toBe(frames);
      expect(published).toEqual([...published].sort((a, b) => a - b));
      if (mode === 'offline') expect(dropped).toBe(0);
    },
    /** Answers everything; nothing may be left. */
    finish() {
      schedule.end();
      for (let rounds = 0; rounds <= 2 * frames && !schedule.idle; rounds += 1) {
        this.step('take', 0);
        this.step('answer', 0);
        this.check();
      }
      expect(schedule.idle).toBe(true);
    },
  };
}

test('whatever happens, triggered is completed + failed + dropped + open, and results keep their order', () => {
  const kind = fc.constantFrom('frame' as const, 'frame' as const, 'take' as const, 'answer', 'lose', 'wait');
  fc.assert(
    fc.property(
      fc.constantFrom<Mode>('offline', 'realtime'),
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.tuple(kind, fc.nat(20)), { maxLength: 200 }),
      (mode, maxInFlight, steps) => {
        const life = randomLife(mode, maxInFlight);
        for (const [step, pick] of steps) {
          life.step(step, pick);
          life.check();
        }
        life.finish();
      },
    ),
    { numRuns: 300 },
  );
});
