import { expect, test } from 'vitest';
import { parseAutoscaleArguments } from './autoscale-arguments.ts';

test('what is not given is as the chart has it', () => {
  expect(parseAutoscaleArguments(['simulate'])).toMatchObject({
    trace: 'stampede',
    targetUtilization: 0.7,
    minReplicas: 0,
    fallbackReplicas: 2,
    initialReplicas: undefined,
    blind: [],
  });
  expect(parseAutoscaleArguments(['simulate', '--blind', '60-90', '--start', '6'])).toMatchObject({
    blind: [{ fromSecond: 60, toSecond: 90 }],
    initialReplicas: 6,
  });
});

test.each([
  [['plan'], 'autoscale takes simulate'],
  [['simulate', '--target', '70'], '--target is 70'],
  [['simulate', '--blind', '90-60'], '--blind is 90-60'],
  [['simulate', '--min', '5', '--max', '2'], '--min 5 and --max 2'],
  [['simulate', '--peak', 'many'], '--peak is many'],
])('%j is refused', (args, message) => {
  expect(() => parseAutoscaleArguments(args)).toThrow(message);
});
