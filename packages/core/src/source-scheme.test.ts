import { describe, expect, test } from 'vitest';
import { LIVE_SCHEMES, refuseUnknownScheme } from './source-scheme.ts';

const refuse = (source: string) => () => refuseUnknownScheme(source, 'stream gate');

describe('a scheme that nothing comes by', () => {
  test.each([
    ['rstp', 'rtsp'],
    ['rtps', 'rtsp'],
    ['RTSPP', 'rtsp'],
    ['htps', 'https'],
    ['htttp', 'http'],
    ['rmtp', 'rtmp'],
    ['str', 'srt'],
  ])('%s is taken for %s', (scheme, meant) => {
    expect(refuse(`${scheme}://camera/1`)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(
          new RegExp(`^stream gate: .*${scheme.toLowerCase()}://.*did you mean ${meant}\\?$`),
        ),
      }),
    );
  });

  test('that is near to none is told what there is, without the password (I8)', () => {
    expect(refuse('onvif://admin:h4mster@camera/1')).toThrow(
      'stream gate: source is "onvif://***@camera/1", and onvif:// is nothing that video comes by: live pictures come by rtsp, rtsps,',
    );
  });
});

test.each([...LIVE_SCHEMES, 'RTSP', 'ftp', 'gopher', 'mms', 'hls+https'])('%s is let through', (scheme) =>
  expect(refuse(`${scheme}://camera/1`)).not.toThrow(),
);

test.each(['lobby.mp4', '/v/rstp://a', 'file:///v/a.mp4', '/dev/video0', 'lavfi:testsrc'])('%s has none', (source) =>
  expect(refuse(source)).not.toThrow(),
);
