import { expect, test } from 'vitest';
import { answerLimitMs } from './answer-limit.ts';

const quick = { definition: 'quick', timeoutMs: 100 };
const slow = { definition: 'slow', timeoutMs: 60_000 };

test("an invocation's time counts from when it can have started, whatever other definitions may take", () => {
  expect(answerLimitMs(quick, [], 1)).toBe(10_100);
  expect(answerLimitMs(quick, [slow, slow], 1)).toBe(10_100);
  expect(answerLimitMs(quick, [quick, slow], 1)).toBe(10_200);
  expect(answerLimitMs(quick, [quick], 2)).toBe(10_100);
  expect(answerLimitMs(quick, [{ ...quick, timeoutMs: 5_000 }], 1)).toBe(15_100);
});

test('a long queue is not waited for without end', () => {
  expect(answerLimitMs(slow, Array(100).fill(slow), 1)).toBe(5 * 60_000 + 10_000);
});
