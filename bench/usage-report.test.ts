import { expect, test } from 'vitest';
import { type Sample, usageReport } from './usage-report.ts';

const MINUTE_MS = 60_000;
/** Half an hour of one process, a sample a minute, that says at each what it holds. */
const samples = (
  at: (minute: number) => {
    pssMiB?: number;
    descriptors?: number;
    consumers?: number;
    identity?: string;
    unaccounted?: number;
  },
): readonly Sample[] =>
  Array.from({ length: 31 }, (_, minute) => {
    const { pssMiB = 100, descriptors = 20, consumers = 8, identity = '7', unaccounted = 0 } = at(minute);
    const wobble = ((minute * 7) % 5) / 10;
    const process = { identity, name: 'ingest', pssMiB: pssMiB + wobble, descriptors };
    return { atMs: minute * MINUTE_MS, processes: [process], streams: 12, consumers, unaccounted };
  });

test('what stays as it is holds', () => {
  const report = usageReport(samples(() => ({})));
  expect(report).toMatchObject({ held: true, restless: [] });
  expect(report.processes).toHaveLength(1);
  expect(report.processes[0]).toMatchObject({ name: 'ingest', limitMiB: expect.closeTo(2, 0) });
});

test('memory that grows by a tenth does not, and the trend says how fast', () => {
  const report = usageReport(samples((minute) => ({ pssMiB: 100 + minute / 3 })));
  expect(report.processes[0]).toMatchObject({ held: false, slopeMiB: expect.closeTo(20, 0) });
  expect(report.held).toBe(false);
});

test('memory that grows within its share, or up and down, holds', () => {
  expect(usageReport(samples((minute) => ({ pssMiB: 100 + minute / 20 }))).held).toBe(true);
  expect(usageReport(samples((minute) => ({ pssMiB: 100 + 30 * (minute % 2) }))).held).toBe(true);
});

test.each([
  ['a descriptor', { descriptors: 21 }],
  ['a consumer', { consumers: 9 }],
])('%s more from some time on is growth, for some minutes it is none', (_, more) => {
  expect(usageReport(samples((minute) => (minute >= 20 ? more : {}))).held).toBe(false);
  expect(usageReport(samples((minute) => (minute >= 20 && minute < 25 ? more : {}))).held).toBe(true);
});

test('a process that was started again is told by its name', () => {
  const report = usageReport(samples((minute) => ({ identity: minute < 20 ? '7' : '8' })));
  expect(report).toMatchObject({ held: false, restless: ['ingest', 'ingest'] });
});

test('a frame that is unaccounted for, be it in one sample, is not held', () => {
  expect(usageReport(samples((minute) => ({ unaccounted: minute === 3 ? 1 : 0 }))).held).toBe(false);
});
