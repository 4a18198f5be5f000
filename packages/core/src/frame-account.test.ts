import { expect, test } from 'vitest';
import type { Fated, FrameFate } from './fate.ts';
import { FrameAccount, type FrameAccountOptions } from './frame-account.ts';

const frame = (sequence: number) => ({ n: sequence * 2, sequence });
const counting = (options: Partial<FrameAccountOptions> = {}) => {
  const counts: Record<string, number> = {};
  const add = (name: string, count: number): void => {
    counts[name] = (counts[name] ?? 0) + count;
  };
  const account = new FrameAccount({
    capacity: Number.POSITIVE_INFINITY,
    through: 0,
    throughN: 0,
    entered: (count) => add('entered', count),
    settled: ({ fate, reason }: Fated<FrameFate>, count) => add(reason ? `${fate} ${reason}` : fate, count),
    ...options,
  });
  return { account, counts };
};

test('a frame that one window used is used, whatever becomes of others that held it', () => {
  const { account, counts } = counting();
  for (const sequence of [1, 2, 3]) account.read(frame(sequence), 3);
  account.windowOver([frame(1), frame(2)], 'replaced');
  account.windowOver([frame(1)], 'dead-lettered');
  account.windowOver([frame(1), frame(2)], 'stale');
  expect(account.open).toBe(3);
  for (const sequence of [1, 2, 3]) account.letGo(frame(sequence));
  expect(counts).toEqual({ entered: 3, used: 1, 'expired stale': 1, 'not-needed no-window': 1 });
  expect(account.open).toBe(0);
});

test('what is missing between two messages was published: a gap, or evicted as far as the buffer has turned over', () => {
  const { account, counts } = counting({ capacity: 10 });
  account.read(frame(2), 2);
  account.read(frame(6), 14);
  account.end(8, 14);
  account.close(true);
  // 1 and 5 and 7 were never read though the buffer had them; 3 and 4 had left it when 14 came.
  expect(counts).toEqual({ entered: 7, 'gap unread': 3, 'evicted unread': 2, 'not-needed no-window': 2 });
});

test('what another scheduler has read of the epoch is its to account for', () => {
  const { account, counts } = counting({ through: undefined, throughN: 100 });
  account.read(frame(50), 52);
  account.read(frame(51), 52);
  account.letGo(frame(50));
  account.read(frame(53), 53);
  account.close(false);
  expect(counts).toEqual({ entered: 3, 'gap unread': 1, 'expired epoch-over': 2 });
});

test('what a predecessor is known to have read is not counted again, nor taken for missing', () => {
  const { account, counts } = counting({ through: 10, throughN: 20, capacity: 4 });
  account.read(frame(9), 13);
  account.read(frame(13), 13);
  account.letGo(frame(13));
  // Of 11 and 12 nobody has read; the buffer has turned over as far as 9.
  expect(counts).toEqual({ entered: 3, 'gap unread': 2, 'not-needed no-window': 1 });
});
