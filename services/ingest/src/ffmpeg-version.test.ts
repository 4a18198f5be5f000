import { expect, test } from 'vitest';
import { checkedVersion, programVersion } from './ffmpeg-version.ts';

test.each([
  ['ffmpeg version 5.1.9-0+deb12u1 Copyright (c) 2000-2026', '5.1.9-0+deb12u1'],
  ['ffmpeg version 6.0 Copyright', '6.0'],
  ['ffmpeg version n7.1.1 Copyright', 'n7.1.1'],
  ['ffmpeg version 8.0 Copyright', '8.0'],
  ['ffmpeg version N-118193-g5f38c82536 Copyright', 'N-118193-g5f38c82536'],
])('%s is recent enough', (output, version) => expect(checkedVersion('ffmpeg', output)).toBe(version));

test.each([
  'ffprobe version 4.4.2-0ubuntu0.22.04.1 Copyright',
  'ffprobe version 5.0.1 Copyright',
  'ffprobe version n3.2',
])('%s is too old', (output) => {
  expect(() => checkedVersion('ffprobe', output)).toThrow(
    expect.objectContaining({ code: 'FFMPEG_TOO_OLD', message: expect.stringContaining('5.1') }),
  );
});

test('a program that is not there is named with how to get it', async () => {
  await expect(programVersion('ffprobe', '/nowhere/ffprobe')).rejects.toMatchObject({
    code: 'FFMPEG_MISSING',
    message: expect.stringMatching(/\/nowhere\/ffprobe.*install ffmpeg.*FFPROBE_PATH/),
  });
});
