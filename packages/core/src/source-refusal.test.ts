import { expect, test } from 'vitest';
import { CAMERAS_ONLY, EVERYTHING } from './source-allowance.ts';
import { refusedByKind } from './source-refusal.ts';

test.each([
  ['/etc/passwd', CAMERAS_ONLY, 'files:/FOLDER'],
  ['file:///etc/passwd', CAMERAS_ONLY, 'files:/FOLDER'],
  ['/dev/video0', CAMERAS_ONLY, 'devices'],
  ['lavfi:movie=/etc/passwd', CAMERAS_ONLY, 'lavfi'],
  ['lavfi:testsrc2,drawtext=textfile=/etc/passwd', CAMERAS_ONLY, 'lavfi'],
  ['rtsp://camera/1', ['files'], 'network:WHERE'],
  ['/etc/passwd', [], 'files:/FOLDER'],
])('%s is refused by %j, and the fault names the entry', (source, allow, entry) => {
  const fault = refusedByKind(source, allow);
  expect(fault?.code).toBe('SOURCE_FORBIDDEN');
  expect(fault?.message).toContain(source);
  expect(fault?.message).toContain(`add ${entry}`);
});

test.each([
  ['/etc/passwd', EVERYTHING],
  // Whether it lies there, by its links, is for the ingest to say.
  ['/etc/passwd', ['files:/srv/videos']],
  ['/dev/video0', ['devices:/dev/video1']],
  ['lavfi:testsrc2=s=64x48', []],
  ['lavfi:movie=/v/a.mp4', ['lavfi']],
  // Where it leads too.
  ['rtsp://127.0.0.1/live', CAMERAS_ONLY],
  ['rtsp://camera/1', ['network:10.0.0.0/8']],
])('%s may be had by %j', (source, allow) => expect(refusedByKind(source, allow)).toBeUndefined());

test('a password is not in the fault (I8)', () =>
  expect(refusedByKind('rtsp://admin:h4mster@camera/1', ['files'])?.message).not.toContain('h4mster'));
