import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CAMERAS_ONLY, EVERYTHING } from '@stream-infer/core/source-allowance';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sourceOf } from './source.ts';
import { addressClass, SourcePolicy } from './source-policy.ts';

const check = (text: string, allow: readonly string[] = CAMERAS_ONLY): Promise<void> =>
  new SourcePolicy(allow).check(sourceOf(text, 'it', 1_000));
const refusal = (text: string, allow?: readonly string[]) => expect(check(text, allow)).rejects;
const FORBIDDEN = { code: 'SOURCE_FORBIDDEN', message: expect.stringContaining('sources.allow') };

describe('an address is of one class', () => {
  test.each([
    ['8.8.8.8', 'public'],
    ['2a00::1', 'public'],
    ['10.1.2.3', 'private'],
    ['172.31.0.1', 'private'],
    ['192.168.0.9', 'private'],
    ['fd12::1', 'private'],
    ['127.0.0.1', 'loopback'],
    ['0.0.0.0', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['169.254.169.254', 'link-local'],
    ['::ffff:169.254.169.254', 'link-local'],
    ['fe80::1', 'link-local'],
    ['fd00:ec2::254', 'link-local'],
    ['100.100.100.200', 'link-local'],
  ] as const)('%s is %s', (address, expected) => expect(addressClass(address)).toBe(expected));
});

describe('by default', () => {
  test.each([
    'rtsp://10.0.0.9/live',
    'rtsp://u:p@192.168.1.2:8554/x',
    'http://[2a00::1]/a.m3u8',
    'lavfi:testsrc2=s=64x48:r=5',
  ])('%s may be played', (text) => check(text));

  test.each([
    'rtsp://127.0.0.1/live',
    'rtsp://localhost/live',
    'rtsp://2130706433/live',
    'rtsp://a@b@127.0.0.1/live',
    'http://169.254.169.254/latest/meta-data',
    'udp://:1234',
    'ftp://10.0.0.9/a.mp4',
    'gopher://10.0.0.9/a',
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

test('what is added may be played, and nothing beside it', async () => {
  const allow = ['network:10.1.0.0/16', 'network:localhost', 'devices', 'lavfi'];
  await check('rtsp://10.1.200.3/live', allow);
  await check('rtsp://localhost/live', allow);
  await check('/dev/video0', allow);
  await check('lavfi:movie=/v/a.mp4', allow);
  await refusal('rtsp://10.2.0.1/live', allow).toMatchObject(FORBIDDEN);
  await refusal('rtsp://127.0.0.1/live', allow).toMatchObject(FORBIDDEN);
  await check('/etc/passwd', EVERYTHING);
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
  });
});
