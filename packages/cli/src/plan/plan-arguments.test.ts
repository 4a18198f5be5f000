import { expect, test } from 'vitest';
import { parsePlanArguments } from './plan-arguments.ts';

const CAMERAS = ['--cameras', '5', '--algorithm', 'a=frame-stats'];

test('what is not given is a usual camera, and the target of autoscaling', () => {
  expect(parsePlanArguments(CAMERAS)).toMatchObject({
    cameras: 5,
    size: { width: 1920, height: 1080 },
    targetUtilization: 0.7,
    streamsPerIngest: 40,
  });
  expect(parsePlanArguments(['--config', 'c.yaml', '--size', '640x360']).size).toEqual({ width: 640, height: 360 });
});

test.each([
  [[], 'plan needs to know cameras and algorithms'],
  [['--cameras', '5'], 'plan needs to know cameras and algorithms'],
  [['c.yaml'], '--config c.yaml?'],
  [[...CAMERAS, '--size', '720p'], '--size is 720p'],
  [[...CAMERAS, '--target', '70'], '--target is 70'],
  [[...CAMERAS, '--streams-per-ingest', '0'], '--streams-per-ingest is 0'],
  [['--cameras', 'many', '--algorithm', 'a=frame-stats'], '--cameras is many'],
])('%j is refused', (args, message) => {
  expect(() => parsePlanArguments(args)).toThrow(message);
});
