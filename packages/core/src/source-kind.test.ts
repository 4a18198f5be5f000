import { expect, test } from 'vitest';
import { sourceKind } from './source-kind.ts';

test.each([
  ['lobby.mp4', 'file'],
  ['/dev/shm/lobby.mp4', 'file'],
  ['file:///videos/lobby.mp4', 'file'],
  ['a:b.mp4', 'file'],
  ['/dev/video0', 'device'],
  ['v4l2:/dev/video1', 'device'],
  ['lavfi:testsrc2', 'device'],
  ['rtsp://camera/stream', 'url'],
] as const)('%s is a %s', (source, kind) => {
  expect(sourceKind(source)).toBe(kind);
});
