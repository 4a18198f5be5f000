import { describe, expect, test } from 'vitest';
import { FairQueue } from './fair-queue.ts';

const item = (stream: string, arrival: number) => ({ stream, arrival });

const drained = (queue: FairQueue<{ stream: string; arrival: number }>): string[] => {
  const order: string[] = [];
  for (let next = queue.shift(); next; next = queue.shift()) order.push(`${next.stream}${next.arrival}`);
  return order;
};

describe('a fair queue', () => {
  test('gives streams turns, and each stream its oldest first', () => {
    const queue = new FairQueue<{ stream: string; arrival: number }>();
    for (const n of [1, 2, 3, 4]) queue.push(item('a', n));
    queue.push(item('b', 1));
    queue.push(item('c', 1));
    queue.push(item('b', 2));
    expect(queue.size).toBe(7);
    expect(drained(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4']);
    expect(queue.size).toBe(0);
  });

  test('makes a stream that just had its turn wait for one that comes later', () => {
    const queue = new FairQueue<{ stream: string; arrival: number }>();
    queue.push(item('a', 1));
    queue.push(item('a', 2));
    expect(queue.shift()).toEqual(item('a', 1));
    queue.push(item('b', 1));
    queue.push(item('a', 3));
    expect(drained(queue)).toEqual(['a2', 'b1', 'a3']);
  });

  test('passes over what is not wanted now, whose stream keeps its turn', () => {
    const queue = new FairQueue<{ stream: string; arrival: number }>();
    for (const [stream, arrival] of [
      ['a', 1],
      ['b', 1],
      ['a', 2],
      ['b', 2],
    ] as const)
      queue.push(item(stream, arrival));
    expect(queue.shift(({ stream }) => stream === 'b')).toEqual(item('b', 1));
    expect(queue.shift(() => false)).toBeUndefined();
    expect(drained(queue)).toEqual(['a1', 'b2', 'a2']);
  });

  test('takes one back in its place among those of its stream', () => {
    const queue = new FairQueue<{ stream: string; arrival: number }>();
    for (const n of [1, 2]) queue.push(item('a', n));
    const first = queue.shift();
    if (first) queue.push(first);
    queue.push(item('b', 1));
    expect(drained(queue)).toEqual(['a1', 'b1', 'a2']);
  });

  test('gives up the one that is taken out, wherever it stands', () => {
    const queue = new FairQueue<{ stream: string; arrival: number }>();
    const [first, second, other] = [item('a', 1), item('a', 2), item('b', 1)];
    for (const each of [first, second, other]) queue.push(each);
    expect(queue.delete(second)).toBe(true);
    expect(queue.delete(second)).toBe(false);
    expect(queue.delete(other)).toBe(true);
    expect(drained(queue)).toEqual(['a1']);
    expect(queue.delete(first)).toBe(false);
  });

  test('keeps the turn of a stream whose only item is taken out, for one that comes in time', () => {
    const queue = new FairQueue<{ stream: string; arrival: number }>();
    const first = item('a', 1);
    for (const each of [first, item('b', 1), item('c', 1)]) queue.push(each);
    queue.delete(first);
    expect(queue.size).toBe(2);
    queue.push(item('a', 2));
    expect(drained(queue)).toEqual(['a2', 'b1', 'c1']);
  });

  test('gives the oldest of one stream before its turn', () => {
    const queue = new FairQueue<{ stream: string; arrival: number }>();
    for (const each of [item('a', 1), item('b', 1), item('b', 2)]) queue.push(each);
    expect(queue.shiftOf('b')).toEqual(item('b', 1));
    expect(queue.shiftOf('c')).toBeUndefined();
    expect(drained(queue)).toEqual(['a1', 'b2']);
  });
});
