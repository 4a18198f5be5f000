import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ownerOf, readStreamList } from './stream-list.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stream-infer-list-'));
});
afterEach(() => rm(directory, { recursive: true }));

async function list(text: string) {
  const file = join(directory, 'list.yaml');
  await writeFile(file, text);
  return readStreamList(file);
}

test('a list of streams alone leaves their schedule to the installation', async () => {
  expect(await list('streams: [{id: gate, source: gate.mp4, algorithms: [faces]}]')).toMatchObject([
    { id: 'gate', source: join(directory, 'gate.mp4'), algorithms: ['faces'] },
  ]);
});

test('with algorithms beside them, streams carry the schedule that stands there', async () => {
  const streams = await list(`algorithms:
  - {name: faces, use: onnx-detector, interval: 0.5, maxStalenessMs: 700}
  - {name: tracks, use: byte-track, after: faces}
streams:
  - {id: gate, source: 'rtsp://camera/1'}
  - {id: yard, source: 'rtsp://camera/2', algorithms: [{name: faces, interval: 2}]}
`);
  expect(streams).toMatchObject([
    {
      id: 'gate',
      algorithms: [
        { name: 'faces', interval: '0.5', maxStalenessMs: 700 },
        { name: 'tracks', after: ['faces'] },
      ],
    },
    { id: 'yard', algorithms: [{ name: 'faces', interval: '2', maxStalenessMs: 700 }] },
  ]);
});

test('a stream that lists what the algorithms beside it do not define is refused by name', async () => {
  const wrong = list(`algorithms: [{name: faces, use: frame-stats}]
streams: [{id: gate, source: 'rtsp://camera/1', algorithms: [face]}]`);
  await expect(wrong).rejects.toMatchObject({
    code: 'CONFIG_UNKNOWN_ALGORITHM',
    message: expect.stringContaining('streams[0].algorithms[0] is face'),
  });
});

test('an owner is a few words with slashes between them', () => {
  expect(ownerOf(undefined)).toBe('cli');
  expect(ownerOf('helm/site.north')).toBe('helm/site.north');
  expect(() => ownerOf('helm//site')).toThrow('--owner');
  expect(() => ownerOf('../site')).toThrow('--owner');
});
