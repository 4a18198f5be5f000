import { describe, expect, test } from 'vitest';
import { setUp } from '../../../test/model/scheduled.ts';

describe('offline', () => {
  test('of a replay only the windows that it is to mend are due, come or lost', () => {
    const { schedule, frame, take } = setUp('offline', 8, 1_000, [2, 5, 7]);
    for (let i = 0; i < 5; i += 1) frame(0);
    expect([take(0).n, take(0).n, schedule.take(0)]).toEqual([2, 5, undefined]);
    schedule.lose(6, 9);
    expect(schedule.ledger.totals.dropped).toEqual({ 'frame-lost': 1 });
    expect(schedule.ledger.triggered).toBe(3);
  });

  test('a window that failed is worth another try while sending goes on', () => {
    const { schedule, frame, take } = setUp('offline', 2);
    for (let i = 0; i < 2; i += 1) frame(0);
    const first = take(0);
    expect(schedule.canSendAgain(first, 60_000)).toBe(true);
    schedule.stop();
    expect(schedule.canSendAgain(first, 60_000)).toBe(false);
  });

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
  test('a window that failed is worth another try only while it is fresh and nothing newer waits', () => {
    const { schedule, frame, take } = setUp('realtime', 2);
    frame(0);
    const first = take(0);
    expect(schedule.canSendAgain(first, 999)).toBe(true);
    expect(schedule.canSendAgain(first, 1_000)).toBe(false);
    frame(10);
    expect(schedule.canSendAgain(first, 10)).toBe(false);
  });

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

  test('maxStalenessMs says how old a window may be that is sent', () => {
    const { schedule, frame, take } = setUp('realtime', 1, 50);
    frame(0, 20);
    expect(schedule.take(30)).toBeUndefined();
    frame(100, 20);
    expect(schedule.budgetMs(take(129), 129)).toBe(1);
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

describe('a newer window', () => {
  const overtaken = ({ schedule }: ReturnType<typeof setUp>): number[] => schedule.overtaken().map(({ n }) => n);

  test('asks back those under way, each once, and takes the place of one that no runner has started', () => {
    const life = setUp('realtime', 2);
    const { schedule, frame, take } = life;
    frame(0);
    const first = take(0);
    frame(10);
    const second = take(10);
    expect(overtaken(life)).toEqual([]);
    frame(20);
    expect(overtaken(life)).toEqual([1, 2]);
    frame(30);
    expect(overtaken(life)).toEqual([]);
    schedule.giveBack(second, 31);
    expect(schedule.ledger.totals.dropped).toEqual({ replaced: 2 });
    expect(take(31).n).toBe(4);
    // One that had started is answered all the same.
    schedule.answered(first, 1);
    expect(schedule.ready().map(({ answer }) => answer)).toEqual([1]);
    frame(40);
    take(40);
    expect(overtaken(life)).toEqual([]);
    frame(50);
    expect(overtaken(life)).toEqual([4, 5]);
  });

  test('replaces all that come back, though it was sent by then itself', () => {
    const life = setUp('realtime', 2);
    const { schedule, frame, take } = life;
    frame(0);
    const first = take(0);
    frame(10);
    const second = take(10);
    frame(20);
    expect(overtaken(life)).toEqual([1, 2]);
    schedule.giveBack(first, 21);
    expect(take(21).n).toBe(3);
    schedule.giveBack(second, 22);
    expect([schedule.waiting, schedule.underWay, schedule.ledger.totals.dropped]).toEqual([0, 1, { replaced: 2 }]);
  });

  test('is not asked back for an older one that a runner lost', () => {
    const life = setUp('realtime', 2);
    const { schedule, frame, take } = life;
    frame(0);
    const first = take(0);
    frame(10);
    take(10);
    schedule.giveBack(first, 11);
    expect(overtaken(life)).toEqual([]);
  });

  test('waits its turn offline', () => {
    const life = setUp('offline', 1);
    life.frame(0);
    life.take(0);
    life.frame(0);
    expect(overtaken(life)).toEqual([]);
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
