import type { DeadLetter } from '@stream-infer/core/dead-letter';
import { expect, test } from 'vitest';
import { letterSheet, letterTable, replayTable } from './letter-text.ts';

const letter: DeadLetter = {
  stream: 'lobby',
  run: 'r1',
  algorithm: 'faces',
  definition: 'detector',
  n: 30,
  key: '1',
  mode: 'offline',
  window: [
    { n: 25, sourceIndex: 24, timestampMs: 960 },
    { n: 30, sourceIndex: 29, timestampMs: 1160 },
  ],
  error: { code: 'ALGORITHM_FAILED', message: `it threw ${'and threw '.repeat(20)}` },
  attempts: 3,
  specHash: '0123456789abcdef',
  diedAtMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
};

test('a table has a line for each letter, and says so where there is none', () => {
  expect(letterTable([])).toBe('there are no dead letters');
  const [header, first] = letterTable([{ id: 7, letter }]).split('\n');
  expect(header).toMatch(/^id +stream +algorithm +at +attempts +died +fault$/);
  expect(first).toMatch(/^7 +lobby +faces +1 s +3 +2026-01-02T03:04:05Z +ALGORITHM_FAILED: it threw .*…$/);
});

test('a sheet has all of one', () => {
  const sheet = letterSheet({ id: 7, letter });
  for (const text of [
    'r1',
    'faces (detector)',
    '25 (source frame 24), 30 (source frame 29)',
    letter.error.message.trim(),
  ])
    expect(sheet).toContain(text);
});

test('what is replayed has a line each, and what cannot be is counted', () => {
  expect(replayTable([])).toBe('there is nothing to replay');
  expect(replayTable([], 3)).toMatch(/^there is nothing to replay: 3 dead letters are of realtime streams and cannot/);
  const [, mended, rest] = replayTable([{ id: 7, letter }], 1).split('\n');
  expect(mended).toMatch(/^7 +lobby +faces +1 s +mended$/);
  expect(rest).toMatch(/^1 dead letter is of a realtime stream and cannot be replayed/);
});
