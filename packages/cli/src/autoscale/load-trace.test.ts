import { expect, test } from 'vitest';
import { recordedTrace, syntheticTrace } from './load-trace.ts';
import { offeredLoad } from './runner-fleet.ts';

test('a made-up trace reaches its peak', () => {
  const trace = syntheticTrace('stampede', 20);
  expect(offeredLoad(trace.camerasAt(0))).toBeCloseTo(4);
  expect(offeredLoad(trace.camerasAt(1_000))).toBeCloseTo(20);
});

test('a recorded trace holds each load until the next', () => {
  const points = [
    { second: 0, load: 1 },
    { second: 30, load: 2.5 },
    { second: 60, load: 0 },
  ];
  const trace = recordedTrace('t.json', JSON.stringify({ perSecond: 10, costSeconds: 0.05, points }));
  expect(trace.seconds).toBe(60);
  expect(offeredLoad(trace.camerasAt(29))).toBeCloseTo(1);
  expect(trace.camerasAt(30)).toEqual({ perSecond: 10, costSeconds: 0.05, count: 5 });
});

test("what Prometheus answers to query_range is a trace, from the first value's time on", () => {
  const values = [
    [1_700_000_000, '0.5'],
    [1_700_000_015, '1.5'],
  ];
  const trace = recordedTrace('p.json', JSON.stringify({ status: 'success', data: { result: [{ values }] } }));
  expect(trace.seconds).toBe(15);
  expect([0, 14, 15].map((second) => offeredLoad(trace.camerasAt(second)))).toEqual([0.5, 0.5, 1.5]);
});

test.each(['', '{}', '{"points": [{"second": 1}]}', '{"data":{"result":[{"values":[[1,"x"],[2,"3"]]}]}}'])(
  '%s is no trace, and it is said what one is',
  (text) => {
    expect(() => recordedTrace('t.json', text)).toThrow(/CONFIG_INVALID|t\.json is no/);
  },
);
