import type { Invocation } from '@stream-infer/proto/stream_infer/v1/invocation';
import { expect, test } from 'vitest';
import { Dispatcher } from './dispatcher.ts';
import type { Carrier, Work, WorkSource } from './work.ts';

const source = (name: string, count: number, definition = 'd'): WorkSource & { left: number } => ({
  definition,
  left: count,
  take() {
    if (this.left === 0) return undefined;
    this.left -= 1;
    return {
      invocation: { id: `${name}${this.left}`, stream: name, definition } as Invocation,
      settle: () => undefined,
    };
  },
});

/** A carrier with so many credits that keeps what it was sent. */
function carrier(credits: number) {
  const sent: Work[] = [];
  const cancelled: Work[] = [];
  const made: Carrier = {
    isOpen: true,
    credits: () => credits - sent.length,
    remembers: () => false,
    forget: () => undefined,
    send: (work) => void sent.push(work),
    cancel: (work) => void cancelled.push(work),
  };
  return { made, sent, cancelled, streams: () => sent.map(({ invocation }) => invocation.stream).join('') };
}

test('sources take turns, however much each has', () => {
  const dispatcher = new Dispatcher();
  for (const each of [source('x', 9), source('y', 3), source('z', 1)]) dispatcher.offer(each);
  const one = carrier(8);
  dispatcher.addCarrier(one.made);
  dispatcher.pump('d');
  expect(one.streams()).toBe('xyzxyxyx');
});

test('nothing is taken from a source without a credit for it', () => {
  const dispatcher = new Dispatcher();
  const one = carrier(2);
  dispatcher.addCarrier(one.made);
  const x = source('x', 5);
  dispatcher.offer(x);
  expect(x.left).toBe(3);
});

test('a source that nobody serves holds no other back', () => {
  const dispatcher = new Dispatcher();
  const one = carrier(10);
  dispatcher.addCarrier({ ...one.made, credits: (definition) => (definition === 'd' ? one.made.credits('d') : 0) });
  dispatcher.offer(source('x', 5, 'unserved'));
  dispatcher.offer(source('y', 2));
  expect(one.streams()).toBe('yy');
});

test('the runner with the most room gets the next, and equal ones share', () => {
  const dispatcher = new Dispatcher();
  const [busy, a, b] = [carrier(1), carrier(3), carrier(3)];
  for (const { made } of [busy, a, b]) dispatcher.addCarrier(made);
  dispatcher.offer(source('x', 4));
  expect([busy.sent.length, a.sent.length, b.sent.length]).toEqual([0, 2, 2]);
});

test('work is cancelled where it was sent; after a halt nothing is sent', () => {
  const dispatcher = new Dispatcher();
  const one = carrier(2);
  dispatcher.addCarrier(one.made);
  dispatcher.offer(source('x', 1));
  const [work] = one.sent;
  if (work) dispatcher.cancel(work);
  expect(one.cancelled).toEqual([work]);
  const withdrawn = source('y', 1);
  dispatcher.removeCarrier(one.made);
  dispatcher.offer(withdrawn);
  dispatcher.withdraw(withdrawn);
  dispatcher.addCarrier(one.made);
  dispatcher.pump('d');
  expect(withdrawn.left).toBe(1);
});

test('a source with a runner of its own waits for that one, and holds no other back; once that is gone it takes any', () => {
  const dispatcher = new Dispatcher();
  const [full, free] = [carrier(0), carrier(2)];
  for (const { made } of [full, free]) dispatcher.addCarrier(made);
  const x = { ...source('x', 3), home: full.made as Carrier | undefined };
  dispatcher.offer(x);
  dispatcher.offer(source('y', 1));
  expect([full.streams(), free.streams()]).toEqual(['', 'y']);
  x.home = { ...full.made, isOpen: false };
  dispatcher.pump('d');
  expect(free.streams()).toBe('yx');
});
