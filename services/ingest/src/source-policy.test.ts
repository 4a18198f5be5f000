import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CAMERAS_ONLY, EVERYTHING } from '@stream-infer/core/source-allowance';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Source, sourceOf } from './source.ts';
import { SourcePolicy } from './source-policy.ts';
import { sourceReason } from './source-reason.ts';

const check = (text: string, allow: readonly string[] = CAMERAS_ONLY): Promise<Source> =>
  new SourcePolicy(allow).check(sourceOf(text, 'it', 1_000));
const reasonOf = (text: string) => check(text).then(() => undefined, sourceReason);
const refusal = (text: string, allow?: readonly string[]) => expect(check(text, allow)).rejects;
const FORBIDDEN = { code: 'SOURCE_FORBIDDEN', message: expect.stringContaining('sources.allow') };

describe('by default', () => {
  test.each([
    'rtsp://10.0.0.9/live',
    'rtsp://u:p@192.168.1.2:8554/x',
    'http://[2a00::1]/a.m3u8',
    'lavfi:testsrc2=s=64x48:r=5',
  ])('%s may be played', async (text) => {
    expect(await check(text)).toMatchObject({ label: 'it' });
  });

  test.each([
    'rtsp://127.0.0.1/live',
    'rtsp://localhost/live',
    'rtsp://2130706433/live',
    'rtsp://a@b@127.0.0.1/live',
    'http://169.254.169.254/latest/meta-data',
    'udp://:1234',
    'ftp://10.0.0.9/a.mp4',
    'gopher://10.0.0.9/a',
    'constructor://10.0.0.9/a',
    'http://[64:ff9b::a9fe:a9fe]/latest/meta-data',
    'rtsp://10.0.0.9\\@127.0.0.1/live',
    '/etc/passwd',
    'file:///etc/passwd',
    'subfile,,start,0,end,9,,:/etc/passwd',
    '/dev/video0',
    'lavfi:movie=/etc/passwd',
    'lavfi:testsrc2=s=64x48,drawtext=textfile=/etc/passwd',
  ])('%s may not, and the fault names the key', (text) => refusal(text).toMatchObject(FORBIDDEN));
});

test('a name without an address is that fault', () =>
  refusal('rtsp://no-such-host.invalid/live').toMatchObject({ code: 'SOURCE_UNREACHABLE', reason: 'dns' }));

test('a name may lead elsewhere by and by; an address of the source’s own may not', async () => {
  expect(await reasonOf('rtsp://localhost/live')).toBe('forbidden');
  for (const text of ['rtsp://127.0.0.1/live', 'rtsp://[::1]/live', 'rtsp://2130706433/live', 'udp://:1234', '/a.mp4'])
    expect(await reasonOf(text), text).toBe('invalid');
});

test('a class of addresses is no host, and a host is found however it is written', () => {
  const classes = new SourcePolicy(CAMERAS_ONLY);
  expect(classes.allowsAddress('127.0.0.1', 'public')).toBe(false);
  expect(classes.allowsAddress('169.254.169.254', 'private')).toBe(false);
  expect(new SourcePolicy(['network:Camera.local']).allowsAddress('127.0.0.1', 'CAMERA.local')).toBe(true);
});

test('what is added may be played, and nothing beside it', async () => {
  const allow = ['network:10.1.0.0/16', 'network:localhost', 'devices', 'lavfi'];
  await check('rtsp://10.1.200.3/live', allow);
  await check('rtsp://localhost/live', allow);
  await check('/dev/video0', allow);
  await check('lavfi:movie=/v/a.mp4', allow);
  await refusal('rtsp://10.2.0.1/live', allow).toMatchObject(FORBIDDEN);
  await refusal('rtsp://127.0.0.1/live', allow).toMatchObject(FORBIDDEN);
  await check('/etc/passwd', EVERYTHING);
  const one = ['devices:/dev/video0', 'devices:avfoundation:0', 'lavfi:movie=/v/a.mp4'];
  for (const text of ['/dev/video0', 'v4l2:/dev/video0', 'avfoundation:0', 'lavfi:movie=/v/a.mp4'])
    await check(text, one);
  for (const text of ['/dev/video1', 'avfoundation:1', 'lavfi:movie=/v/b.mp4'])
    await refusal(text, one).toMatchObject(FORBIDDEN);
});

describe('files', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stream-infer-files-'));
    await mkdir(join(folder, 'videos'));
    await mkdir(join(folder, 'videos-of-others'));
    for (const name of ['videos/a.mp4', 'videos-of-others/b.mp4']) await writeFile(join(folder, name), 'x');
    await symlink(join(folder, 'videos-of-others', 'b.mp4'), join(folder, 'videos', 'link.mp4'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('below a folder that is allowed may be played; what a link or a path leads out of it may not', async () => {
    const allow = [`files:${join(folder, 'videos')}`];
    await check(join(folder, 'videos', 'a.mp4'), allow);
    for (const outside of ['videos/../videos-of-others/b.mp4', 'videos-of-others/b.mp4', 'videos/link.mp4'])
      await refusal(join(folder, outside), allow).toMatchObject(FORBIDDEN);
    await check(join(folder, 'videos-of-others', 'b.mp4'), ['files']);
    const b = join(folder, 'videos-of-others', 'b.mp4');
    await check(b, [`files:${b}`]);
    await refusal(`${b}.bak`, [`files:${b}`]).toMatchObject(FORBIDDEN);
  });

  test('are opened by the path that was looked at, and told by the one that was named', async () => {
    const videos = await realpath(join(folder, 'videos'));
    await symlink(join(videos, 'a.mp4'), join(videos, 'newest.mp4'));
    const source = await check(join(videos, 'newest.mp4'), [`files:${videos}`]);
    const real = join(videos, 'a.mp4');
    expect(source).toMatchObject({ path: real, input: `file:${real}` });
    expect(source.redact(`file:${real}: broken, ${real}`)).not.toContain('a.mp4');
  });

  test('that are not there are told as such below a folder that is allowed, and nowhere else', async () => {
    const allow = [`files:${join(folder, 'videos')}`];
    await refusal(join(folder, 'videos', 'none.mp4'), allow).toMatchObject({ code: 'SOURCE_NOT_FOUND' });
    await refusal(join(folder, 'none.mp4'), allow).toMatchObject(FORBIDDEN);
  });
});
