import { expect, test } from 'vitest';
import { createTrimLedger } from './trim-ledger.ts';

const bytes = (length: number) => ({ length });
const NO_OTHER_SINK = Number.POSITIVE_INFINITY;

test('a subject is trimmed up to its last stored message, the heaviest subjects first', () => {
  const ledger = createTrimLedger();
  ledger.stored({ subject: 'light', sequence: 1, bytes: bytes(10) });
  ledger.stored({ subject: 'heavy', sequence: 2, bytes: bytes(10) });
  ledger.stored({ subject: 'heavy', sequence: 5, bytes: bytes(10) });
  expect(ledger.plan(1, NO_OTHER_SINK)).toEqual([{ subject: 'heavy', before: 5 }]);
  expect(ledger.plan(9, NO_OTHER_SINK)).toHaveLength(2);
});

test('nothing goes that another sink has not acknowledged', () => {
  const ledger = createTrimLedger();
  ledger.stored({ subject: 'a', sequence: 3, bytes: bytes(1) });
  ledger.stored({ subject: 'a', sequence: 9, bytes: bytes(1) });
  const [plan] = ledger.plan(1, 4);
  expect(plan).toEqual({ subject: 'a', before: 5 });
  if (plan) ledger.trimmed(plan);
  expect(ledger.plan(1, NO_OTHER_SINK)).toEqual([{ subject: 'a', before: 9 }]);
});

test('a trimmed subject is looked at again when another message of it is stored', () => {
  const ledger = createTrimLedger();
  ledger.found('a', 4);
  for (const plan of ledger.plan(1, NO_OTHER_SINK)) ledger.trimmed(plan);
  expect(ledger.plan(1, NO_OTHER_SINK)).toEqual([]);
  ledger.stored({ subject: 'a', sequence: 7, bytes: bytes(1) });
  expect(ledger.plan(1, NO_OTHER_SINK)).toEqual([{ subject: 'a', before: 7 }]);
});

test('what is stored while a subject is being trimmed is not forgotten', () => {
  const ledger = createTrimLedger();
  ledger.stored({ subject: 'a', sequence: 4, bytes: bytes(1) });
  const [plan] = ledger.plan(1, NO_OTHER_SINK);
  ledger.stored({ subject: 'a', sequence: 6, bytes: bytes(1) });
  if (plan) ledger.trimmed(plan);
  expect(ledger.plan(1, NO_OTHER_SINK)).toEqual([{ subject: 'a', before: 6 }]);
});

test('what comes after a subject keeps its messages from where it has come to, until the run ends (R-10)', () => {
  const ledger = createTrimLedger();
  const stored = (sequence: number, more: object = {}) =>
    ledger.stored({ subject: 'results.s.r.faces', sequence, bytes: bytes(1), ...more });
  stored(3);
  stored(9, { neededFrom: 3 });
  stored(12, { neededFrom: 9 });
  const [plan] = ledger.plan(1, NO_OTHER_SINK);
  expect(plan).toEqual({ subject: 'results.s.r.faces', before: 9 });
  if (plan) ledger.trimmed(plan);
  // Nothing more can go: it is not asked for again and again.
  expect(ledger.plan(1, NO_OTHER_SINK)).toEqual([]);
  ledger.stored({ subject: 'ends.s.r', sequence: 13, bytes: bytes(1), resultSubjects: 'results.s.r.' });
  expect(ledger.plan(9, NO_OTHER_SINK)).toContainEqual({ subject: 'results.s.r.faces', before: 12 });
  ledger.found('results.s.q.faces', 20, 15);
  expect(ledger.plan(9, NO_OTHER_SINK)).toContainEqual({ subject: 'results.s.q.faces', before: 15 });
});
