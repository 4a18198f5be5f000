import { describe, expect, test } from 'vitest';
import { sourceOf } from './source.ts';
import { damageFault, lastError, lossReason, openFault, positionFault } from './source-fault.ts';

const camera = sourceOf('rtsp://u:secret@cam/live', 'rtsp://***@cam/live', 1);
const file = sourceOf('/v/clip.mp4', '/v/clip.mp4', 1);

describe('a source that does not open', () => {
  test.each([
    ['[rtsp @ 0x1] method DESCRIBE failed: 401 Unauthorized', 'SOURCE_UNAUTHORIZED', 'unauthorized'],
    ['[https @ 0x1] HTTP error 403 Forbidden', 'SOURCE_UNAUTHORIZED', 'unauthorized'],
    ['Connection to tcp://cam:554 failed: Connection refused', 'SOURCE_UNREACHABLE', 'refused'],
    ['[tcp @ 0x1] Failed to resolve hostname cam: Name or service not known', 'SOURCE_UNREACHABLE', 'dns'],
    ['rtsp://u:secret@cam/live: Connection timed out', 'SOURCE_UNREACHABLE', 'timeout'],
    ['rtsp://u:secret@cam/live: No route to host', 'SOURCE_UNREACHABLE', 'timeout'],
    ['[http @ 0x1] HTTP error 404 Not Found', 'SOURCE_UNREACHABLE', 'not-found'],
    ['[rtsp @ 0x1] method DESCRIBE failed: 404 Not Found', 'SOURCE_UNREACHABLE', 'not-found'],
    ['rtsp://u:secret@cam/live: Server returned 404 Not Found', 'SOURCE_UNREACHABLE', 'not-found'],
    ['[rtsp @ 0x1] method DESCRIBE failed: 503 Service Unavailable', 'SOURCE_UNREACHABLE', 'refused'],
    ['rtsp://u:secret@cam/live: Connection reset by peer', 'SOURCE_UNREACHABLE', 'ended'],
    ['rtsp://u:secret@cam/live: Protocol not found', 'SOURCE_UNREACHABLE', 'invalid'],
    ['rtsp://u:secret@cam/live: Invalid data found when processing input', 'SOURCE_NOT_MEDIA', 'decode-errors'],
    ['rtsp://u:secret@cam/live: End of file', 'SOURCE_NOT_MEDIA', 'ended'],
    ['rtsp://u:secret@cam/live: what nobody has heard of', 'SOURCE_UNREACHABLE', 'refused'],
    ['Connection to tcp://cam:401/403?404 failed: Connection refused', 'SOURCE_UNREACHABLE', 'refused'],
  ])('%s is %s for the reason %s, without its password', (stderr, code, reason) => {
    const fault = openFault(camera, stderr);
    expect(fault).toMatchObject({ code, reason });
    expect(fault.message).toContain('rtsp://***@cam/live');
    expect(fault.message).not.toContain('secret');
  });

  test.each([
    ['file:/v/clip.mp4: No such file or directory', 'SOURCE_NOT_FOUND', 'not-found'],
    ['file:/v/clip.mp4: Permission denied', 'SOURCE_UNREACHABLE', 'refused'],
    [
      '[mov @ 0x1] moov atom not found\nfile:/v/clip.mp4: Invalid data found when processing input',
      'SOURCE_NOT_MEDIA',
      'decode-errors',
    ],
    ['strange', 'SOURCE_NOT_MEDIA', 'decode-errors'],
  ])('of a file: %s is %s for the reason %s', (stderr, code, reason) =>
    expect(openFault(file, stderr)).toMatchObject({ code, reason }),
  );
});

describe('a source that played is lost', () => {
  test.each([
    ['by its end', '', 0, 'ended'],
    ['by its server', 'rtsp://u:secret@cam/live: Connection reset by peer', 1, 'ended'],
    ['in silence, though it was answered', 'rtsp://u:secret@cam/live: Connection timed out', 1, 'no-frames'],
    ['by what comes', '[h264 @ 0x1] error while decoding MB 401 5, bytestream -6', 1, 'decode-errors'],
    ['with its ffmpeg', '', null, 'decode-errors'],
    ['by its end, long after a complaint', '[http @ 0x1] HTTP error 404 Not Found\n[h264 @ 0x1] no frame!', 0, 'ended'],
  ])('%s', (_, stderr, exitCode, reason) => expect(lossReason(stderr, exitCode)).toBe(reason));
});

test("ffmpeg's last line is quoted without its prefixes and without the URL", () => {
  expect(lastError(camera, 'x\n[rtsp @ 0x7f] [error] rtsp://u:secret@cam/live: odd\n')).toBe(
    'rtsp://***@cam/live: odd',
  );
});

describe('damage', () => {
  test('tells how many frames were lost, of how many, and when', () => {
    expect(damageFault(file, { expected: 50, decoded: 49, atSeconds: 3 }).message).toMatch(
      /^\/v\/clip.mp4 is damaged at 3 s: 1 of its 50 frames could not be decoded, and the 49 others are numbered without it/,
    );
    expect(damageFault(file, { expected: 50, decoded: 40, atSeconds: 1.2345 }).message).toMatch(
      /at 1\.234 s: 10 of its 50/,
    );
  });

  test('of a file that breaks off tells how much of what it announces came', () => {
    const broken = { expected: 31, decoded: 31, atSeconds: 0.933, lasted: { came: 0.933, announced: 3.667 } };
    expect(damageFault(file, broken).message).toMatch(
      /^\/v\/clip\.mp4 is damaged at 0\.933 s: 31 frames came out, 0\.9 of the 3\.7 s that it announces: fetch/,
    );
    const whole = { ...broken, lasted: { came: 3.4, announced: 3.667 } };
    expect(damageFault(file, whole).message).toMatch(/all of its 31 frames came out, some/);
    expect(damageFault(file, { ...broken, expected: 109 }).message).toMatch(/78 of its 109 frames could not/);
  });

  test('tells of frames with errors, and of frames that nobody counts', () => {
    expect(damageFault(file, { expected: 50, decoded: 50, atSeconds: 1 }).message).toMatch(
      /all of its 50 frames came out, some/,
    );
    expect(damageFault(file, { expected: undefined, decoded: 1, atSeconds: undefined }).message).toMatch(
      /1 frame could be/,
    );
  });
});

test('a position beyond the end names both', () => {
  expect(positionFault(file, 13, 12.5).message).toContain(
    'position 13 s lies beyond the end of /v/clip.mp4, which is 12.5 s long',
  );
});
