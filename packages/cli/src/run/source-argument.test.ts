import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findSources, nameSources } from './source-argument.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-sources-'));
  for (const folder of ['clips', 'clips/nested', 'words', 'more']) await mkdir(join(directory, folder));
  for (const file of [
    'clips/b.MP4',
    'clips/a.mkv',
    'clips/notes.txt',
    'clips/.hidden.mp4',
    'words/notes.txt',
    'more/a.mkv',
    'clips/raw.dav',
  ])
    await writeFile(join(directory, file), 'x');
  await writeFile(join(directory, 'empty.mp4'), '');
});
afterAll(() => rm(directory, { recursive: true }));

const names = async (...args: string[]): Promise<string[]> =>
  (await findSources(args, directory)).map(({ id, source }) => `${id} ${source.replace(`${directory}/`, '')}`);

describe('SOURCE', () => {
  test('a file is one stream, whatever its extension', async () => {
    expect(await names('clips/notes.txt')).toEqual(['notes clips/notes.txt']);
    expect(await names(`file://${directory}/clips/a.mkv`)).toEqual(['a clips/a.mkv']);
  });

  test('a folder is a stream for each of its videos, in the order of their names', async () => {
    expect(await names('clips')).toEqual(['a clips/a.mkv', 'b clips/b.MP4']);
  });

  test('a glob is a stream for each video that it matches, or each file of the extension that it names', async () => {
    expect(await names('clips/*')).toEqual(['a clips/a.mkv', 'b clips/b.MP4']);
    expect(await names('clips/*.dav')).toEqual(['raw clips/raw.dav']);
  });

  test('several sources of one name get ids of their own, the same source twice is one', async () => {
    expect(await names('clips/a.mkv', 'more', 'clips/a.mkv')).toEqual(['a clips/a.mkv', 'a-2 more/a.mkv']);
  });

  test('devices and URLs are taken as they are', async () => {
    expect(await names('/dev/video0', 'rtsp://camera:554/live/main.sdp')).toEqual([
      'video0 /dev/video0',
      'main rtsp://camera:554/live/main.sdp',
    ]);
  });

  test.each([
    ['gone.mp4', 'SOURCE_NOT_FOUND', /^gone\.mp4 does not exist/],
    ['words', 'SOURCE_NO_VIDEOS', /^the folder words holds no video file/],
    ['words/*', 'SOURCE_NO_VIDEOS', /^words\/\* holds no video file/],
    ['clips/*.webm', 'SOURCE_NO_VIDEOS', /^no file matches clips\/\*\.webm/],
    ['empty.mp4', 'SOURCE_EMPTY', /^empty\.mp4 has no bytes/],
  ])('%s is refused as %s', async (argument, code, message) => {
    await expect(names(argument)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

test('a URL names its stream without its credentials (I8)', () => {
  const ids = nameSources([
    'rtsp://me:secret@cam-7/',
    'rtsp://me:secret@cam-8/a?token=secret',
    'udp://@239.0.0.1:1234',
  ]).map(({ id }) => id);
  expect(ids.slice(0, 2)).toEqual(['cam-7', 'a']);
  expect(ids.join()).not.toContain('secret');
});

test('a long name made unique stays within 64 letters', () => {
  const ids = nameSources([`/a/${'x'.repeat(90)}.mp4`, `/b/${'x'.repeat(90)}.mp4`]).map(({ id }) => id);
  expect(ids.map((id) => id.length)).toEqual([64, 64]);
  expect(new Set(ids).size).toBe(2);
});
