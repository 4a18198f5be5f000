import { expect, test } from 'vitest';
import { DEFAULT_RULES, HorizontalScaler, type HorizontalScalerOptions } from './horizontal-scaler.ts';

const scaler = (fields: Partial<HorizontalScalerOptions> = {}): HorizontalScaler =>
  new HorizontalScaler({ ...DEFAULT_RULES, minReplicas: 1, maxReplicas: 50, averageValue: 70, ...fields });

test.each([
  [10, 700, 10],
  // Within a tenth of the ratio.
  [10, 769, 10],
  [10, 771, 12],
  [10, 631, 10],
  // Would be fewer, and the window of five minutes has only this recommendation.
  [10, 620, 9],
  [1, 5, 1],
  [0, 500, 0],
])('%i replicas with a metric of %i become %i', (replicas, metric, decided) => {
  expect(scaler().decide(replicas, metric, 0)).toBe(decided);
});

test('it at most doubles, or adds four, in fifteen seconds', () => {
  const one = scaler();
  expect(one.decide(2, 3_000, 0)).toBe(6);
  expect(one.decide(6, 3_000, 5)).toBe(6);
  expect(one.decide(6, 3_000, 15)).toBe(12);
  expect(one.decide(12, 3_000, 30)).toBe(24);
});

test('fewer are only what five minutes have recommended', () => {
  const one = scaler();
  expect(one.decide(20, 1_400, 0)).toBe(20);
  expect(one.decide(20, 350, 15)).toBe(20);
  expect(one.decide(20, 700, 285)).toBe(20);
  expect(one.decide(20, 350, 301)).toBe(10);
});

test('policies bound how fast they go', () => {
  const one = scaler({
    scaleDown: { stabilizationWindowSeconds: 0, policies: [{ type: 'Pods', value: 2, periodSeconds: 60 }] },
  });
  expect(one.decide(20, 70, 0)).toBe(18);
  expect(one.decide(18, 70, 15)).toBe(18);
  expect(one.decide(18, 70, 75)).toBe(16);
});

test('no metric changes nothing, and limits hold', () => {
  expect(scaler().decide(7, undefined, 0)).toBe(7);
  expect(scaler({ maxReplicas: 9 }).decide(8, 7_000, 0)).toBe(9);
  expect(scaler({ minReplicas: 3 }).decide(3, 0, 0)).toBe(3);
});
