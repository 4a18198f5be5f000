import { expect, test } from 'vitest';
import { rational } from './rational.ts';
import { timeKey } from './time-key.ts';

test('time keys are seconds without trailing zeros', () => {
  const at = (n: number) => timeKey(n, rational(30));
  expect([at(30), at(1800), at(3), at(375), at(1), at(300)]).toEqual(['1', '60', '0.1', '12.5', '0.033', '10']);
});

test('time keys are truncated to the millisecond, never rounded (R-6)', () => {
  expect(timeKey(2, rational(3))).toBe('0.666');
  expect(timeKey(30, rational(30000, 1001))).toBe('1.001');
  expect(timeKey(1, rational(2000))).toBe('0');
  expect(timeKey(29_999_999, rational(30))).toBe('999999.966');
});
