import { describe, expect, test, vi } from 'vitest';
import { answered, FAILED, served, TIMES } from '../../../test/harness/served-algorithm.ts';

/** Timers and the time are the test's own until it ends. */
function fakeClock() {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  return { advance: (ms: number) => void vi.advanceTimersByTime(ms), [Symbol.dispose]: () => void vi.useRealTimers() };
}

describe('batches', () => {
  const batched = (maxDelayMs?: number) =>
    served(1, 0, { maxBatch: 3, ...(maxDelayMs !== undefined && { maxDelayMs }) });

  test('hold the oldest window of each camera first, and go when they are full', async () => {
    const faces = batched();
    for (const id of ['a1', 'a2', 'b1']) faces.submit(id);
    for (const id of ['a2', 'a1']) await faces.fetched(id);
    expect(faces.handed()).toEqual([]);
    for (const id of ['c1', 'a3', 'd1']) faces.submit(id);
    await faces.fetched('b1');
    expect(faces.handed()).toEqual(['a1+b1+a2']);
    for (const id of faces.fetching()) await faces.fetched(id);
    await faces.ran('a1+b1+a2');
    expect(faces.outcomes()).toEqual(['a1 ok', 'b1 ok', 'a2 ok']);
    expect(faces.handed()).toEqual(['c1+a3+d1']);
    expect(faces.runs).toEqual([{ windows: 3, failed: false, ...TIMES }]);
  });

  test('are fetched one ahead, and no more', () => {
    const faces = batched();
    for (let n = 1; n <= 20; n += 1) faces.submit(`a${n}`);
    expect(faces.fetching()).toHaveLength(6);
  });

  test('go to an idle instance once maxDelayMs have passed since their first window', async () => {
    using clock = fakeClock();
    const faces = batched(30);
    for (const id of ['a1', 'b1']) {
      faces.submit(id);
      await faces.fetched(id);
      clock.advance(20);
    }
    expect(faces.handed()).toEqual(['a1+b1']);
    // A busy instance takes what is there as soon as it is free, since that was there for longer.
    faces.submit('c1');
    await faces.fetched('c1');
    clock.advance(40);
    expect(faces.handed()).toEqual(['a1+b1']);
    await faces.ran('a1+b1');
    expect(faces.handed()).toEqual(['c1']);
    await faces.ran('c1');
    // An idle one waits for all of it again.
    faces.submit('d1');
    await faces.fetched('d1');
    clock.advance(28);
    expect(faces.handed()).toEqual([]);
    clock.advance(2);
    expect(faces.handed()).toEqual(['d1']);
  });

  test('wait, for maxDelayMs of idle time at most, for windows that are being fetched', async () => {
    using clock = fakeClock();
    const faces = batched(30);
    for (const id of ['a1', 'b1', 'c1']) faces.submit(id);
    for (const id of ['a1', 'b1', 'c1']) await faces.fetched(id);
    for (const id of ['a2', 'b2', 'c2']) faces.submit(id);
    for (const id of ['a2', 'b2']) await faces.fetched(id);
    clock.advance(100);
    await faces.ran('a1+b1+c1');
    expect(faces.handed()).toEqual([]);
    clock.advance(10);
    await faces.fetched('c2');
    expect(faces.handed()).toEqual(['a2+b2+c2']);
    for (const id of ['a3', 'b3']) faces.submit(id);
    await faces.fetched('a3');
    clock.advance(100);
    await faces.ran('a2+b2+c2');
    clock.advance(28);
    expect(faces.handed()).toEqual([]);
    clock.advance(2);
    expect(faces.handed()).toEqual(['a3']);
  });

  test('go before the first of their windows is stale', async () => {
    using clock = fakeClock();
    const faces = batched();
    faces.submit('a1');
    faces.submit('b1', { budgetMs: 40 });
    for (const id of ['a1', 'b1']) await faces.fetched(id);
    clock.advance(36);
    expect(faces.handed()).toEqual([]);
    clock.advance(3);
    expect(faces.handed()).toEqual(['a1+b1']);
    await faces.ran('a1+b1');
    expect(faces.outcomes()).toEqual(['a1 ok', 'b1 ok']);
  });

  test('have the time limit of their most impatient window', async () => {
    const faces = batched(0);
    faces.submit('a1');
    faces.submit('b1', { timeoutMs: 50 });
    faces.submit('c1', { timeoutMs: 900 });
    await faces.fetched('c1');
    for (const id of ['a1', 'b1']) await faces.fetched(id);
    await faces.ran('c1');
    expect([...faces.limits]).toEqual([
      ['c1', 900],
      ['a1+b1', 50],
    ]);
  });

  test('that fail cost none of their windows its result: each is fetched again and run alone', async () => {
    const faces = batched();
    for (const id of ['a1', 'b1', 'c1']) faces.submit(id);
    for (const id of ['a1', 'b1', 'c1']) await faces.fetched(id);
    await faces.ran('a1+b1+c1', FAILED);
    expect(faces.outcomes()).toEqual([]);
    for (const id of ['a1', 'b1', 'c1']) await faces.fetched(id);
    for (const id of ['a1', 'b1', 'c1']) {
      expect(faces.handed()).toEqual([id]);
      await faces.ran(id, id === 'b1' ? FAILED : answered());
    }
    expect(faces.outcomes()).toEqual(['a1 ok', 'b1 ALGORITHM_FAILED', 'c1 ok']);
    expect(faces.runs.map(({ windows, failed }) => [windows, failed])).toEqual([
      [3, true],
      [1, false],
      [1, true],
      [1, false],
    ]);
  });

  test('keep what failed in one window to that window', async () => {
    const faces = batched();
    for (const id of ['a1', 'b1', 'c1']) faces.submit(id);
    for (const id of ['a1', 'b1', 'c1']) await faces.fetched(id);
    const data = { kind: 'data', data: new Uint8Array() } as const;
    const fault = { kind: 'fault', fault: { code: 'RESULT_NOT_JSON', message: 'NaN' } } as const;
    await faces.ran('a1+b1+c1', { kind: 'answered', answers: [data, fault, data], ...TIMES });
    expect(faces.outcomes()).toEqual(['a1 ok', 'b1 RESULT_NOT_JSON', 'c1 ok']);
  });

  test('lose a window that is cancelled while they fill (G-5)', async () => {
    const faces = batched();
    const [first] = ['a1', 'b1', 'c1', 'd1'].map((id) => faces.submit(id));
    for (const id of ['a1', 'b1']) await faces.fetched(id);
    first?.();
    for (const id of ['c1', 'd1']) await faces.fetched(id);
    expect(faces.outcomes()).toEqual(['a1 NOT_STARTED not started']);
    expect(faces.handed()).toEqual(['b1+c1+d1']);
  });

  test('drain: the one that runs is answered, and what was gathered is given back (G-6)', async () => {
    const faces = batched();
    for (const id of ['a1', 'b1', 'c1', 'd1']) faces.submit(id);
    for (const id of ['a1', 'b1', 'c1', 'd1']) await faces.fetched(id);
    const draining = faces.algorithm.drain();
    await faces.ran('a1+b1+c1');
    await draining;
    expect(faces.outcomes()).toEqual(['d1 NOT_STARTED not started', 'a1 ok', 'b1 ok', 'c1 ok']);
  });
});
