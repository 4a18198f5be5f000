import { expect, test } from 'vitest';
import { resultAggregate } from './result-aggregate.ts';

test('algorithms are sorted and time keys ascend as numbers, in the bytes (R-7)', () => {
  const records = [
    { algorithm: 'b', key: '10', data: { y: 1, x: [2] } },
    { algorithm: 'a', key: '9.5', data: 1 },
    { algorithm: 'b', key: '0.5', data: null },
    { algorithm: 'b', key: '2', error: { code: 'ALGORITHM_FAILED' as const, message: 'it threw' } },
    { algorithm: 'b', key: '1', data: 'one' },
  ];
  expect(resultAggregate(records)).toBe(
    '{"a":{"9.5":1},"b":{"0.5":null,"1":"one","2":{"$error":{"code":"ALGORITHM_FAILED","message":"it threw"}},"10":{"x":[2],"y":1}}}',
  );
});

test('of two records with one key the last wins, and an algorithm without results may be named', () => {
  const records = [
    { algorithm: 'a', key: '1', data: 1 },
    { algorithm: 'a', key: '1', data: 2 },
  ];
  expect(resultAggregate(records, ['z', 'a'])).toBe('{"a":{"1":2},"z":{}}');
  expect(resultAggregate([])).toBe('{}');
});
