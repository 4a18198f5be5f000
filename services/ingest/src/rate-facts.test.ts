import { formatRational, rational } from '@stream-infer/core/rational';
import { describe, expect, test } from 'vitest';
import { liveRate, type PacketWindow, type RateQuestion, rateFacts } from './rate-facts.ts';

const whole = (ptsTicks: readonly number[]): PacketWindow => ({ ptsTicks, whole: true });
const times = (count: number, at: (index: number) => number): number[] =>
  Array.from({ length: count }, (_, i) => at(i));
const rate = (question: Partial<RateQuestion>): string => {
  const { fps, constant } = rateFacts({
    windows: [],
    timeBase: rational(1, 90_000),
    realRate: '0/0',
    averageRate: '0/0',
    ...question,
  });
  return `${constant ? 'constant' : 'variable'} ${formatRational(fps)}`;
};

describe('a constant rate', () => {
  test('is found in exact ticks', () => {
    const windows = [whole(times(30, (i) => i * 1001))];
    const timeBase = rational(1, 30_000);
    expect(rate({ windows, timeBase, realRate: '30000/1001', averageRate: '30000/1001' })).toBe('constant 30000/1001');
  });

  test('is found in milliseconds, where 30 a second come 33 and 34 apart, in decoding order, from 0.033 on', () => {
    const windows = [whole([33, 167, 100, 67, 133, 300, 233, 200, 267])];
    const timeBase = rational(1, 1000);
    expect(rate({ windows, timeBase, realRate: '30/1', averageRate: '30/1' })).toBe('constant 30');
  });

  test('of 29.97 in milliseconds is not taken for 30', () => {
    const windows = [whole(times(300, (i) => Math.round((i * 1001) / 30)))];
    const timeBase = rational(1, 1000);
    expect(rate({ windows, timeBase, realRate: '30/1', averageRate: '19001/634' })).toBe('constant 30000/1001');
  });

  test('is the measured one where the container says nothing', () => {
    const windows = [whole(times(200, (i) => 7 + i * 2000))];
    expect(rate({ windows, timeBase: rational(1, 25_000) })).toBe('constant 25/2');
  });

  test('is not the field rate that r_frame_rate tells of interlaced video', () => {
    const windows = [whole(times(100, (i) => i * 3600))];
    expect(rate({ windows, realRate: '50/1', averageRate: '25/1' })).toBe('constant 25');
  });

  test('is judged by frames that are certainly there: the last ones of a list that was cut short may lack some between them', () => {
    const decoding = times(200, (i) => (i % 2 === 1 ? i + 1 : Math.max(0, i - 1)) * 3600).slice(0, 199);
    const cut = { ptsTicks: [...decoding, 230 * 3600], whole: false };
    expect(rate({ windows: [cut], realRate: '25/1', averageRate: '25/1' })).toBe('constant 25');
  });

  test('is taken from the container where packets have no times', () => {
    expect(rate({ windows: [whole([])], realRate: '50/1', averageRate: '25/1' })).toBe('constant 25');
    expect(rate({ windows: [whole([])] })).toBe('constant 25');
    expect(rate({ windows: [whole([0])], averageRate: '12/1' })).toBe('constant 12');
  });
});

describe('a variable rate', () => {
  const timeBase = rational(1, 16_000);

  test('is the average, whatever grid r_frame_rate finds', () => {
    const windows = [whole([2048, 3504, 4288, 5296, 6448, 7392, 8352])];
    expect(rate({ windows, timeBase, realRate: '30000/1001', averageRate: '3550/251' })).toBe('variable 3550/251');
  });

  test('is one frame that is missing', () => {
    const windows = [whole(times(100, (i) => (i < 50 ? i : i + 1) * 3600))];
    expect(rate({ windows, realRate: '25/1', averageRate: '2500/101' })).toBe('variable 2500/101');
  });

  test('is seen where it begins later in the file', () => {
    const first = { ptsTicks: times(1500, (i) => i * 3600), whole: false };
    const later = { ptsTicks: times(150, (i) => 9e6 + i * 3600 + (i % 3) * 400), whole: false };
    expect(rate({ windows: [first, later], realRate: '25/1', averageRate: '25/1' })).toBe('variable 25');
    const steady = { ptsTicks: times(150, (i) => 9e6 + i * 3600), whole: false };
    expect(rate({ windows: [first, steady], realRate: '25/1', averageRate: '25/1' })).toBe('constant 25');
  });

  test('is measured where nothing tells the average', () => {
    expect(rate({ windows: [whole([0, 1600, 4800, 16_000])], timeBase })).toBe('variable 3');
  });
});

describe('the rate of a live source', () => {
  test.each([
    ['25/1', '25/1', '25'],
    ['30/1', '2997/100', '30000/1001'],
    ['90000/1', '24.9', '25'],
    ['15/1', '0/0', '15'],
    ['90000/1', '0/0', '25'],
    ['0/0', '7/2', '7/2'],
    ['0/0', '61/9', '61/9'],
  ])('r_frame_rate %s and avg_frame_rate %s are %s', (real, average, expected) => {
    expect(formatRational(liveRate(real, average))).toBe(expected);
  });
});
