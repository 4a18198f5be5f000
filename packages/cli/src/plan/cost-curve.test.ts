import { expect, test } from 'vitest';
import { codecsOf, cost, PLANNED_ROLES, parseCurve } from './cost-curve.ts';
import measuredCurve from './measured-curve.json' with { type: 'json' };

test('what is driven costs its price, and what has none nothing', () => {
  expect(cost({ frames: 10, streams: 2 }, { frames: 0.5 })).toBe(5);
});

test('the curve of the repository is one, and says what it was measured on', () => {
  const curve = parseCurve('measured-curve.json', JSON.stringify(measuredCurve));
  expect(codecsOf(curve)).toEqual(['h264', 'hevc', 'mjpeg']);
  expect(curve.machine).toContain('ffmpeg version');
  for (const role of PLANNED_ROLES) expect(cost({ processes: 1 }, curve.memory[role])).toBeGreaterThan(1);
});

test.each([
  ['an empty file', ''],
  ['an empty object', '{}'],
  ['a curve of no machine', JSON.stringify({ ...measuredCurve, machine: 1 })],
  [
    'a negative price',
    JSON.stringify({ ...measuredCurve, cores: { ...measuredCurve.cores, ingest: { processes: -1 } } }),
  ],
  ['memory of one role alone', JSON.stringify({ ...measuredCurve, memory: { ingest: {} } })],
  ['half of what was measured', JSON.stringify({ ...measuredCurve, measuredUpTo: { streams: 1 } })],
])('%s is no curve, and it is said what one is', (_, text) => {
  expect(() => parseCurve('c.json', text)).toThrow(/c\.json is no .*make bench-plan/);
});
