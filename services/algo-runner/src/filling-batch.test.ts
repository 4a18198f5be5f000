import { describe, expect, test } from 'vitest';
import { type BatchWindow, FillingBatch } from './filling-batch.ts';

let arrivals = 0;
const window = (stream: string, given: Partial<BatchWindow> = {}): BatchWindow => {
  arrivals += 1;
  return { stream, arrival: arrivals, readyAtMs: 0, staleAtMs: Number.POSITIVE_INFINITY, alone: false, ...given };
};

function filled(...windows: readonly BatchWindow[]) {
  const batch = new FillingBatch({ maxBatch: 3, maxDelayMs: 5 });
  for (const each of windows) batch.push(each);
  return batch;
}

const streams = (windows: readonly BatchWindow[]): string => windows.map(({ stream }) => stream).join('');

describe('a batch that fills', () => {
  test('is due maxDelayMs after its first window, whichever came last', () => {
    expect(filled().dueAtMs()).toBe(Number.POSITIVE_INFINITY);
    expect(filled(window('a', { readyAtMs: 12 }), window('b', { readyAtMs: 10 })).dueAtMs()).toBe(15);
  });

  test('is due maxDelayMs after the instance became idle, where more is to come', () => {
    const batch = filled(window('a', { readyAtMs: 12 }), window('b', { readyAtMs: 10 }));
    expect([batch.dueAtMs(40), batch.dueAtMs(3)]).toEqual([45, 15]);
  });

  test('is due before the first of its windows is stale', () => {
    expect(filled(window('a'), window('b', { staleAtMs: 4 })).dueAtMs()).toBe(2);
  });

  test('is due at once when it is full, or holds a window that is to run alone', () => {
    expect(filled(window('a'), window('b'), window('c')).dueAtMs()).toBe(Number.NEGATIVE_INFINITY);
    expect(filled(window('a', { alone: true })).dueAtMs()).toBe(Number.NEGATIVE_INFINITY);
  });

  test('takes the oldest window of each camera, then the next oldest', () => {
    const batch = filled(...['a', 'a', 'a', 'b', 'c', 'b'].map((stream) => window(stream)));
    expect([streams(batch.shift()), streams(batch.shift()), batch.size]).toEqual(['abc', 'aba', 0]);
  });

  test('puts a window that is to run alone with no other', () => {
    const batch = filled(window('a'), window('b', { alone: true }), window('c'));
    expect([batch.shift(), batch.shift(), batch.shift()].map(streams)).toEqual(['b', 'ac', '']);
  });

  test('gives up windows wherever they are', () => {
    const batch = filled(window('a'), window('b', { alone: true }), window('a', { readyAtMs: 9 }), window('c'));
    expect(streams(batch.remove(({ stream, readyAtMs }) => stream === 'b' || readyAtMs === 9))).toBe('ba');
    expect(streams(batch.shift())).toBe('ac');
  });
});
