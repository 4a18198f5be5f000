import { Fault } from '@stream-infer/core/fault';
import type { SourceCondition } from '@stream-infer/core/source-state';
import { describe, expect, test } from 'vitest';
import { HELD_MS, SourceLife } from './source-life.ts';

const STALL_MS = 10_000;

function newLife() {
  const changes: string[] = [];
  const clock = { wallMs: 1_000 };
  const life = new SourceLife({
    backoff: { minMs: 250, maxMs: 15_000, random: () => 0.5 },
    stallMs: STALL_MS,
    wallMs: () => clock.wallMs,
    onChange: ({ state, reason }: SourceCondition) => changes.push(`${state} ${reason}`),
  });
  return { life, changes, clock };
}

/** Plays ten frames a second over this time. */
function play(life: SourceLife, fromMs: number, durationMs: number): void {
  life.opened(fromMs);
  for (let atMs = fromMs; atMs <= fromMs + durationMs; atMs += 100) life.frame(atMs);
}

test('a source is connecting until its first frame, then it plays; only changes are told, with when they were', () => {
  const { life, changes, clock } = newLife();
  expect(life.condition).toEqual({ state: 'connecting', reason: 'started', sinceMs: 1_000 });
  clock.wallMs = 2_000;
  life.opened(0);
  expect(life.condition).toEqual({ state: 'connecting', reason: 'started', sinceMs: 1_000 });
  life.frame(10);
  clock.wallMs = 3_000;
  life.frame(20);
  expect(life.condition).toEqual({ state: 'playing', reason: 'frames', sinceMs: 2_000 });
  expect(changes).toEqual(['playing frames']);
});

describe('a loss', () => {
  test('is reconnecting with its reason until frames come again, and another reason is another change', () => {
    const { life, changes } = newLife();
    play(life, 0, 1_000);
    for (const reason of ['ended', 'refused', 'refused', 'not-found'] as const) life.lost(reason);
    life.opened(5_000);
    expect(life.condition).toMatchObject({ state: 'reconnecting', reason: 'not-found' });
    life.frame(5_100);
    expect(changes).toEqual([
      'playing frames',
      'reconnecting ended',
      'reconnecting refused',
      'reconnecting not-found',
      'playing frames',
    ]);
  });

  test('tells by what and when the source is opened again, until frames come', () => {
    const { life, clock } = newLife();
    const fault = new Fault('SOURCE_UNREACHABLE', 'nobody is there');
    clock.wallMs = 5_000;
    life.broke(fault);
    expect(life.loss).toBeUndefined();
    life.lost('refused');
    expect(life.loss).toEqual({ fault, retryAtMs: 5_125 });
    life.opened(0);
    expect(life.loss?.fault).toBe(fault);
    life.frame(10);
    expect(life.loss).toBeUndefined();
    // What is lost for a reason alone is not told to be lost by what was before.
    life.lost('bus-away');
    expect(life.loss).toEqual({ fault: undefined, retryAtMs: 5_250 });
    life.broke(fault);
    life.failed('not-found');
    life.lost('refused');
    expect(life.loss).toEqual({ fault, retryAtMs: undefined });
  });

  test('before the first frame is reconnecting too', () => {
    const { life } = newLife();
    life.lost('dns');
    expect(life.condition).toMatchObject({ state: 'reconnecting', reason: 'dns' });
  });

  test('is waited for longer each time, until the source held', () => {
    const { life } = newLife();
    expect([life.lost('refused'), life.lost('refused'), life.lost('refused')]).toEqual([125, 250, 500]);
    play(life, 0, HELD_MS - 100);
    expect(life.lost('ended')).toBe(1_000);
    play(life, 50_000, HELD_MS);
    expect(life.lost('ended')).toBe(125);
  });

  test('after frames and a long silence did not hold: only the time with frames counts', () => {
    const { life } = newLife();
    expect([life.lost('refused'), life.lost('refused')]).toEqual([125, 250]);
    play(life, 0, 1_000);
    expect(life.isSilent(1_000 + STALL_MS)).toBe(true);
    expect(life.lost('no-frames')).toBe(500);
  });

  test('over credentials is waited for in minutes', () => {
    const { life } = newLife();
    expect(life.lost('unauthorized')).toBeGreaterThanOrEqual(60_000);
  });
});

describe('a silence', () => {
  test('is a stall at half the limit, a reason to end the decoder at the limit, and over with the next frame', () => {
    const { life, changes } = newLife();
    play(life, 0, 0);
    expect(life.isSilent(STALL_MS / 2 - 1)).toBe(false);
    expect(changes).toEqual(['playing frames']);
    expect(life.isSilent(STALL_MS / 2)).toBe(false);
    expect(life.condition).toMatchObject({ state: 'stalled', reason: 'no-frames' });
    expect(life.isSilent(STALL_MS)).toBe(true);
    life.frame(STALL_MS + 1);
    expect(life.isSilent(STALL_MS + 2)).toBe(false);
    expect(life.condition).toMatchObject({ state: 'playing', reason: 'frames' });
  });

  test('counts from the start of the decoder where no frame came at all', () => {
    const { life, changes } = newLife();
    expect(life.isSilent(100_000)).toBe(false);
    life.opened(100_000);
    expect(life.isSilent(100_000 + STALL_MS)).toBe(true);
    expect(changes).toEqual(['stalled no-frames']);
  });

  test('is none while the source is lost', () => {
    const { life } = newLife();
    play(life, 0, 0);
    life.lost('ended');
    expect(life.isSilent(100_000)).toBe(false);
    expect(life.condition.state).toBe('reconnecting');
  });
});

describe('a frozen picture', () => {
  test('is a reason of playing, for as long as it is frozen', () => {
    const { life, changes } = newLife();
    play(life, 0, 0);
    life.frozen();
    life.frame(100);
    life.unfrozen();
    life.frame(200);
    expect(changes).toEqual(['playing frames', 'playing frozen-picture', 'playing frames']);
  });

  test('is told again after a stall, and forgotten with the attempt', () => {
    const { life, changes } = newLife();
    play(life, 0, 0);
    life.frozen();
    life.isSilent(STALL_MS / 2);
    life.frame(STALL_MS / 2 + 1);
    life.lost('ended');
    life.frozen();
    expect(life.condition.state).toBe('reconnecting');
    play(life, 20_000, 0);
    expect(changes).toEqual([
      'playing frames',
      'playing frozen-picture',
      'stalled no-frames',
      'playing frozen-picture',
      'reconnecting ended',
      'playing frames',
    ]);
  });
});

test.each([
  ['ended', (life: SourceLife) => life.ended(), 'ended ended'],
  ['failed', (life: SourceLife) => life.failed('invalid'), 'failed invalid'],
])('what %s stays so, whatever its decoder still says', (_, end, told) => {
  const { life, changes } = newLife();
  end(life);
  play(life, 0, 100);
  life.isSilent(100_000);
  life.lost('refused');
  life.ended();
  expect(life.isOver).toBe(true);
  expect(changes).toEqual([told]);
});
