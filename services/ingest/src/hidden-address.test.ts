import { expect, test } from 'vitest';
import { HiddenAddress } from './hidden-address.ts';

const target = new URL('https://cam.example:8443/live/7f3a/stream.m3u8?token=s3cret');
const hidden = new HiddenAddress(target);
const behind = (reference: string): string | undefined => hidden.behind(new URL(reference, hidden.url))?.href;

test('it tells nothing of what it stands for but its ending', () => {
  expect(hidden.url).toMatch(/^http:\/\/source\.invalid\/[-/]+source\.m3u8$/);
  expect(new HiddenAddress(new URL('http://cam/video')).url).toMatch(/\/source$/);
});

test.each([
  ['', 'https://cam.example:8443/live/7f3a/stream.m3u8?token=s3cret'],
  ['seg1.ts', 'https://cam.example:8443/live/7f3a/seg1.ts'],
  ['sub/seg1.ts?x=1', 'https://cam.example:8443/live/7f3a/sub/seg1.ts?x=1'],
  ['../seg1.ts', 'https://cam.example:8443/live/seg1.ts'],
  ['../../seg1.ts', 'https://cam.example:8443/seg1.ts'],
  ['/other/seg1.ts', 'https://cam.example:8443/other/seg1.ts'],
])('a playlist that names %j means what it meant where it lay', (reference, meant) => {
  expect(behind(reference)).toBe(meant);
});

test('an address of its own is not behind it', () => {
  expect(behind('http://elsewhere/seg1.ts')).toBeUndefined();
});
