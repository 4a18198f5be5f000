import { expect, test } from 'vitest';
import { svgChart } from './svg-chart.ts';

const panel = { title: 'Runners <ready>', unit: '', top: 4, lines: [] };

test('a line goes from the left to the right of its panel, 0 at the bottom and the highest value within', () => {
  const values = [0, 4, 4];
  const svg = svgChart({
    title: 'T & more',
    subtitle: '',
    secondsPerValue: 60,
    columns: [{ title: 'one', panels: [{ ...panel, lines: [{ label: 'a', colour: '#000', values }] }] }],
  });
  const [, path = ''] = /<path d="M([^"]*)"/.exec(svg) ?? [];
  const points = path.split('L').map((point) => point.split(',').map(Number));
  expect(points).toHaveLength(3);
  const [first = [], second = [], third = []] = points;
  expect(first[0]).toBeLessThan(second[0] ?? 0);
  expect(third[0]).toBeGreaterThan(1_200);
  expect((first[1] ?? 0) - (second[1] ?? 0)).toBeCloseTo(130);
  expect(second[1]).toBe(third[1]);
});

test('words are escaped, times named by their unit, and long lines thinned', () => {
  const values = Array.from({ length: 10_000 }, (_, at) => at % 7);
  const svg = svgChart({
    title: 'T & more',
    subtitle: '',
    secondsPerValue: 1,
    columns: [{ title: 'one', panels: [{ ...panel, lines: [{ label: 'a', colour: '#000', values }] }] }],
  });
  expect(svg).toContain('T &amp; more');
  expect(svg).toContain('Runners &lt;ready&gt;');
  expect(svg).toContain('>30 min<');
  expect(svg.split('L').length).toBeLessThan(800);
});

test('what is no number is a gap, and raises no scale', () => {
  const values = [1, 2, Number.NaN, 3, Number.NaN, Number.NaN, 4, 4];
  const lines = [{ label: 'a', colour: '#000', values }];
  const svg = svgChart({
    title: 'gaps',
    subtitle: '',
    secondsPerValue: 1,
    columns: [{ title: 'one', panels: [{ ...panel, lines }] }],
  });
  expect(svg).not.toContain('NaN');
  expect([...svg.matchAll(/<path d="M([^"]*)"/g)].map(([, path = '']) => path.split('L').length)).toEqual([2, 2, 2]);
});
