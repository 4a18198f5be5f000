import { resolve } from 'node:path';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { describe, expect, test } from 'vitest';
import { resolveSource, sourceOf } from './source.ts';

const source = (text: string) => sourceOf(text, text, 5_000);
const spec = (of: Pick<StreamSpec, 'source' | 'sourceFrom'>): StreamSpec => ({
  id: 'cam',
  mode: 'realtime',
  pixelFormat: 'bgr24',
  encoding: 'raw',
  position: '0',
  videoStream: 0,
  algorithms: [],
  ...of,
});
const context = {
  environment: { CAM_URL: ' rtsp://admin:s3cret@10.0.0.9:554/stream/7?channel=42 ' },
  openTimeoutMs: 5_000,
};

describe('what a source is', () => {
  test('a path is a file, given to ffmpeg so that no name is taken for an option or a protocol', () => {
    expect(source('-v.mp4')).toMatchObject({ kind: 'file', input: `file:${resolve('-v.mp4')}`, live: false });
    expect(source('/data/a:b c.mkv')).toMatchObject({
      kind: 'file',
      input: 'file:/data/a:b c.mkv',
      path: '/data/a:b c.mkv',
    });
    expect(source('file:///data/a%20b.mp4')).toMatchObject({ kind: 'file', path: '/data/a b.mp4' });
  });

  test('cameras are read over TCP and give up in time', () => {
    const { kind, live, inputOptions } = source('rtsp://10.0.0.9/live');
    expect({ kind, live }).toEqual({ kind: 'url', live: true });
    expect(inputOptions.join(' ')).toBe(
      '-rtsp_transport tcp -allowed_media_types video -timeout 5000000 -protocol_whitelist tcp',
    );
    expect(source('rtmp://h/app/key').inputOptions).toEqual([
      '-rw_timeout',
      '5000000',
      '-protocol_whitelist',
      'rtmp,tcp',
    ]);
  });

  test('of http only probing tells whether it is live', () => {
    expect(source('https://h/a.mp4')).toMatchObject({ kind: 'url', live: undefined });
  });

  test('devices are named by format, or by the path of a video device', () => {
    expect(source('/dev/video0')).toMatchObject({
      kind: 'device',
      input: '/dev/video0',
      inputOptions: ['-f', 'v4l2'],
      live: true,
    });
    expect(source('avfoundation:0')).toMatchObject({
      input: '0',
      inputOptions: ['-f', 'avfoundation'],
      generated: false,
    });
    expect(source('lavfi:testsrc2=r=5')).toMatchObject({
      input: 'testsrc2=r=5',
      inputOptions: ['-f', 'lavfi'],
      generated: true,
    });
  });
});

describe('a source named by sourceFrom', () => {
  test('comes from the environment, and its label does not tell it (I8)', async () => {
    const found = await resolveSource(spec({ sourceFrom: { env: 'CAM_URL' } }), context);
    expect(found.input).toBe('rtsp://admin:s3cret@10.0.0.9:554/stream/7?channel=42');
    expect(found.label).toBe('the source in CAM_URL');
  });

  test.each([
    'rtsp://admin:s3cret@10.0.0.9:554/stream/7?channel=42: Connection refused',
    'Failed to resolve hostname 10.0.0.9: no',
    'Opening /stream/7?channel=42',
    'user admin, password s3cret',
  ])('is blotted out of what ffmpeg says: %s', async (text) => {
    const found = await resolveSource(spec({ sourceFrom: { env: 'CAM_URL' } }), context);
    expect(found.redact(text)).not.toMatch(/admin|s3cret|10\.0\.0\.9|stream\/7/);
  });

  test('that is not there is a fault which names where it was sought', async () => {
    await expect(resolveSource(spec({ sourceFrom: { env: 'NOT_SET' } }), context)).rejects.toMatchObject({
      code: 'SOURCE_NOT_FOUND',
      message: expect.stringContaining('NOT_SET'),
    });
    await expect(resolveSource(spec({ sourceFrom: { file: '/nowhere/url' } }), context)).rejects.toMatchObject({
      code: 'SOURCE_NOT_FOUND',
      message: expect.stringContaining('/nowhere/url'),
    });
  });
});

test('a URL with a password is named without it, and so is its password alone (I8)', async () => {
  const text = 'rtsp://admin:p%40ss@cam/live?token=abcd';
  const found = await resolveSource(spec({ source: text }), context);
  expect(found.input).toBe(text);
  expect(found.label).toBe('rtsp://***@cam/live?token=***');
  const quoted = `${text} 401; sent p%40ss, that is p@ss, with abcd`;
  expect(found.redact(quoted)).toBe('rtsp://***@cam/live?token=*** 401; sent ***, that is ***, with ***');
});

describe('what of a source is in arguments, which all may list (I8)', () => {
  test('a URL without a secret, its options beside it', () => {
    expect(source('rtsp://10.0.0.9/live').script).toBeUndefined();
  });

  test('nothing of one with a secret: ffmpeg reads it from standard input, and may open what RTSP needs', () => {
    const { script } = sourceOf("rtsp://u:it's@cam/live", 'rtsp://***@cam/live', 5_000);
    expect(script?.inputOptions.join(' ')).toBe('-f concat -safe 0 -protocol_whitelist pipe,tcp');
    expect(script?.text.split('\n')).toEqual([
      'ffconcat version 1.0',
      String.raw`file 'rtsp://u:it'\''s@cam/live'`,
      'option rtsp_transport tcp',
      'option allowed_media_types video',
      'option timeout 5000000',
      'option probesize 32',
      '',
    ]);
  });

  test('nothing of a scheme whose protocols are not known is read from standard input: it would be refused what it comes by', () => {
    const { script, inputOptions } = sourceOf('ftp://u:p@nas/a.mp4', 'ftp://***@nas/a.mp4', 5_000);
    expect(script).toBeUndefined();
    expect(inputOptions.join(' ')).not.toContain('whitelist');
  });

  test('no line of a script is begun by a source', () => {
    const text = "rtsp://u:p@cam/live\noption protocol_whitelist file\nfile '/etc/passwd'";
    expect(() => sourceOf(text, 'the source in CAM', 1)).toThrow(/^the source in CAM has a control character/);
  });
});

test("a file's name stays as the user wrote it in what ffmpeg says", () => {
  const found = sourceOf('clip.mp4', 'clip.mp4', 1);
  expect(found.redact(`file:${resolve('clip.mp4')}: Invalid data`)).toBe('clip.mp4: Invalid data');
});
