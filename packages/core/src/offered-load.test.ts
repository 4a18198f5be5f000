import { describe, expect, test } from 'vitest';
import { type LoadLane, OfferedLoad } from './offered-load.ts';

const load = (): OfferedLoad => new OfferedLoad({ expectedMs: () => 50, nowMs: 0 });

const camera = (fields: Partial<LoadLane> = {}): LoadLane & { come: number; waiting: number } => ({
  definition: 'faces',
  mode: 'realtime',
  perSecond: 10,
  maxInFlight: 2,
  come: 0,
  waiting: 0,
  due() {
    return this.come;
  },
  open() {
    return this.waiting;
  },
  ...fields,
});

const told = (one: OfferedLoad, runMs: number, windows = 1, batches = 20): void => {
  for (let window = 0; window < batches * windows; window += 1) one.ran('faces', { version: '1', windows, runMs });
};

test('an algorithm without streams offers nothing, and says so', () => {
  expect(load().of('faces')).toEqual({
    load: { realtime: 0, offline: 0 },
    duePerSecond: 0,
    costSeconds: 0.05,
    costBasis: 'expected',
  });
});

test('a camera is priced as expected before any runner has told, and as measured then', () => {
  const one = load();
  one.follow(camera(), 0);
  expect(one.of('faces').load.realtime).toBeCloseTo(0.5);
  told(one, 20);
  expect(one.of('faces').load.realtime).toBeCloseTo(0.2);
  expect(one.of('faces').costBasis).toBe('measured');
});

test('what is due counts, and not what is served: a camera without a runner offers as much', () => {
  const one = load();
  const gate = camera();
  one.follow(gate, 0);
  for (let second = 1; second <= 60; second += 1) {
    gate.come += 10;
    gate.waiting = 1;
    one.sample(second * 1_000);
  }
  expect(one.of('faces').load.realtime).toBeCloseTo(0.5);
});

test('all streams of an algorithm add up; those that end are gone at once', () => {
  const one = load();
  const forget = one.follow(camera(), 0);
  one.follow(camera({ perSecond: 5 }), 0);
  one.follow(camera({ definition: 'plates' }), 0);
  expect(one.of('faces').duePerSecond).toBe(15);
  forget();
  forget();
  expect(one.of('faces').duePerSecond).toBe(5);
  expect(one.definitions).toEqual(['faces', 'plates']);
});

test('batches divide it', () => {
  const one = load();
  for (let camera_ = 0; camera_ < 10; camera_ += 1) one.follow(camera(), 0);
  told(one, 36, 12);
  expect(one.of('faces').load.realtime).toBeCloseTo((100 * 0.036) / 12);
});

describe('offline', () => {
  const play = (one: OfferedLoad, seconds: number): void => {
    for (let second = 1; second <= seconds; second += 1) one.sample(second * 1_000);
  };

  test('a stream that waits for runners can use what is open, up to maxInFlight', () => {
    const one = load();
    one.follow(camera({ mode: 'offline', maxInFlight: 8, open: () => 40 }), 0);
    play(one, 120);
    expect(one.of('faces').load).toEqual({ realtime: 0, offline: expect.closeTo(8, 1) as number });
  });

  test('one whose decoding is the slower uses what is under way, and asks for no more', () => {
    const one = load();
    one.follow(camera({ mode: 'offline', maxInFlight: 8, open: () => 1.5 }), 0);
    play(one, 120);
    expect(one.of('faces').load.offline).toBeCloseTo(1.5, 1);
  });

  test('windows that share a batch share an instance', () => {
    const one = load();
    one.follow(camera({ mode: 'offline', maxInFlight: 8, open: () => 8 }), 0);
    told(one, 40, 4);
    play(one, 120);
    expect(one.of('faces').load.offline).toBeCloseTo(2, 1);
  });
});

test('what was learnt outlives the process', () => {
  const before = load();
  told(before, 20);
  const kept = before.kept('faces');
  const one = load();
  if (kept) one.adopt('faces', kept);
  one.follow(camera(), 0);
  expect(one.of('faces')).toMatchObject({ load: { realtime: expect.closeTo(0.2) as number }, costBasis: 'measured' });
});
