import type { Invocation } from '@stream-infer/proto/stream_infer/v1/invocation';
import { describe, expect, test } from 'vitest';
import { Dispatcher } from './dispatcher.ts';
import type { Carrier, Work, WorkSource } from './work.ts';

const source = (name: string, count: number, definition = 'd'): WorkSource & { left: number } => ({
  definition,
  left: count,
  wantsAlone: false,
  take() {
    if (this.left === 0) return undefined;
    this.left -= 1;
    return {
      invocation: { id: `${name}${this.left}`, stream: name, definition } as Invocation,
      alone: false,
      settle: () => undefined,
    };
  },
});

/** A carrier with so many credits that keeps what it was sent. */
function carrier(credits: number) {
  const sent: Work[] = [];
  const cancelled: Work[] = [];
  const recalled: Work[] = [];
  const made: Carrier = {
    isOpen: true,
    credits: () => credits - sent.length,
    serves: () => true,
    get holds() {
      return sent.length;
    },
    remembers: () => false,
    forget: () => undefined,
    send: (work) => void sent.push(work),
    cancel: (work) => void cancelled.push(work),
    recall: (work) => void recalled.push(work),
  };
  return { made, sent, cancelled, recalled, streams: () => sent.map(({ invocation }) => invocation.stream).join('') };
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

test('runners share each definition, however the others come between', () => {
  const dispatcher = new Dispatcher();
  const runners = [0, 1, 2].map(() => ({ d: 0, e: 0 }));
  for (const had of runners)
    dispatcher.addCarrier({
      ...carrier(0).made,
      credits: () => 4,
      send: ({ invocation }) => {
        had[invocation.definition as 'd' | 'e'] += 1;
      },
    });
  // In the beat of three runners: one of the three would have all of the other.
  for (let turn = 0; turn < 30; turn += 1) {
    for (const definition of ['d', 'd', 'e']) dispatcher.offer(source('x', 1, definition));
  }
  expect(runners).toEqual(Array(3).fill({ d: 20, e: 10 }));
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

describe('what is to be sent alone', () => {
  /** A carrier whose work can be answered. */
  function answering(credits: number, definitions = ['d']) {
    const held: Work[] = [];
    const sent: string[] = [];
    const made: Carrier = {
      credits: (definition) => (definitions.includes(definition) && !held[0]?.alone ? credits - held.length : 0),
      isOpen: true,
      remembers: () => false,
      forget: () => undefined,
      serves: (definition) => definitions.includes(definition),
      get holds() {
        return held.length;
      },
      send: (work) => {
        held.push(work);
        sent.push(work.invocation.stream);
      },
      cancel: () => undefined,
      recall: () => undefined,
    };
    return { made, held, sent, answer: () => void held.shift() };
  }

  const alone = (name: string, definition = 'd') => {
    let left = 1;
    return {
      definition,
      get wantsAlone() {
        return left > 0;
      },
      take: (): Work | undefined => {
        if (left === 0) return undefined;
        left -= 1;
        return {
          invocation: { id: name, stream: name, definition } as Invocation,
          alone: true,
          settle: () => undefined,
        };
      },
    };
  };

  test('gets a runner that is kept free for it, while the others go on', () => {
    const dispatcher = new Dispatcher();
    const [one, two] = [answering(2), answering(2)];
    for (const { made } of [one, two]) dispatcher.addCarrier(made);
    dispatcher.offer(source('x', 100));
    dispatcher.offer(alone('P'));
    for (let turn = 0; turn < 4; turn += 1)
      for (const each of [one, two]) {
        each.answer();
        dispatcher.pump('d');
      }
    const [withIt, without] = one.sent.includes('P') ? [one, two] : [two, one];
    expect(withIt.sent.join('')).toMatch(/^xxPx*$/);
    expect(without.sent.join('')).toMatch(/^x{6}$/);
  });

  test('waits for what its runner holds of another definition', () => {
    const dispatcher = new Dispatcher();
    const one = answering(4, ['d', 'e']);
    dispatcher.addCarrier(one.made);
    dispatcher.offer(source('x', 1, 'e'));
    dispatcher.offer(alone('P'));
    dispatcher.offer(source('y', 1));
    expect(one.sent).toEqual(['x']);
    one.answer();
    dispatcher.pump('e');
    expect(one.sent).toEqual(['x', 'P']);
    one.answer();
    dispatcher.pump('d');
    expect(one.sent).toEqual(['x', 'P', 'y']);
  });

  test('keeps the same runner free however often it is offered', () => {
    const dispatcher = new Dispatcher();
    const both = [answering(2), answering(2)];
    for (const { made } of both) dispatcher.addCarrier(made);
    dispatcher.offer(source('x', 100));
    const poison = alone('P');
    dispatcher.offer(poison);
    for (const each of both) each.answer();
    dispatcher.pump('d');
    expect(both.reduce((sum, { held }) => sum + held.length, 0)).toBe(3);
    const kept = both.find(({ held }) => held.length === 1);
    for (let turn = 0; turn < 5; turn += 1) {
      for (const each of both) if (each !== kept) each.answer();
      dispatcher.offer(poison);
      expect(kept?.held).toHaveLength(1);
    }
    kept?.answer();
    dispatcher.pump('d');
    expect(kept?.sent.at(-1)).toBe('P');
  });

  test('frees the runner that was kept for it when it is withdrawn', () => {
    const dispatcher = new Dispatcher();
    const one = answering(2);
    dispatcher.addCarrier(one.made);
    dispatcher.offer(source('x', 1));
    const withdrawn = alone('P');
    dispatcher.offer(withdrawn);
    dispatcher.offer(source('y', 1));
    expect(one.sent).toEqual(['x']);
    dispatcher.withdraw(withdrawn);
    expect(one.sent).toEqual(['x', 'y']);
  });
});

test('work is recalled where it was sent, and its source has its turn still', () => {
  const dispatcher = new Dispatcher();
  let credits = 1;
  const one = carrier(0);
  dispatcher.addCarrier({ ...one.made, credits: () => credits - one.sent.length });
  const [x, y, z] = [source('x', 9), source('y', 9), source('z', 9)];
  for (const each of [x, y, z]) dispatcher.offer(each);
  const [first] = one.sent;
  if (first) dispatcher.recall(first);
  expect(one.recalled).toEqual([first]);
  dispatcher.offerFirst(x);
  credits = 4;
  dispatcher.pump('d');
  expect(one.streams()).toBe('xxyz');
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
