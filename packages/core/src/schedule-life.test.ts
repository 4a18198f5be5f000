import fc from 'fast-check';
import { expect, test } from 'vitest';
import { setUp } from '../../../test/model/scheduled.ts';
import type { PublishedFrame } from './frame-history.ts';
import type { Trigger } from './schedule.ts';
import type { Mode } from './stream-spec.ts';

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
    overtake(pick: number) {
      // Of those that are asked back some have started.
      for (const one of schedule.overtaken())
        if ((one.n + pick) % 3 > 0) schedule.giveBack(underWay.splice(underWay.indexOf(one), 1)[0] ?? one, nowMs);
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
  const kind = fc.constantFrom(
    'frame' as const,
    'frame' as const,
    'take' as const,
    'answer',
    'lose',
    'overtake',
    'wait',
  );
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
