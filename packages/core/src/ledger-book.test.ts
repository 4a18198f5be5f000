import { expect, test } from 'vitest';
import type { FrameFate } from './fate.ts';
import { LedgerBook } from './ledger-book.ts';

test('what has no fate, was not handed over and is held by nobody is unaccounted for', () => {
  const book = new LedgerBook<FrameFate>();
  const holder = { open: 3 };
  const stop = book.follow(holder);
  book.enter(10);
  book.handOver(4);
  book.settle({ fate: 'not-needed', reason: 'skipped' }, 2);
  book.settle({ fate: 'not-needed', reason: 'repeated' });
  expect(book.unaccounted).toBe(0);
  holder.open = 2;
  expect(book.unaccounted).toBe(1);
  stop();
  book.settle({ fate: 'lost-in-decoder', reason: '' }, 3);
  expect(JSON.parse(JSON.stringify(book))).toEqual({
    entered: 10,
    handedOver: 4,
    open: 0,
    unaccounted: 0,
    fates: { 'not-needed': { skipped: 2, repeated: 1 }, 'lost-in-decoder': 3 },
  });
});

test('a holder books its last when it is left, once', () => {
  const book = new LedgerBook<FrameFate>();
  const stop = book.follow({ open: 0, update: () => book.enter(1) });
  book.update();
  stop();
  stop();
  book.update();
  expect(book.entered).toBe(2);
});
