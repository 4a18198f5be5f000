import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isName, nameFrom } from './names.ts';
import { redactUrl } from './redact-url.ts';

test('a name made of any text is a name (N-1)', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(isName(nameFrom(text))).toBe(true);
    }),
  );
  expect(nameFrom('Gate 1 (north).mp4')).toBe('Gate-1-north-mp4');
  expect(nameFrom('…')).toBe('stream');
});

test.each([
  ['rtsp://admin:s3cret@10.0.0.1:554/live', 'rtsp://***@10.0.0.1:554/live'],
  ['cannot open rtsp://admin:p@ss/w?rd@host/x: refused', 'cannot open rtsp://***@host/x: refused'],
  ['http://host/live?user=a&token=abc&x=1', 'http://host/live?user=a&token=***&x=1'],
  ['http://host/live?password=a', 'http://host/live?password=***'],
  ['file.mp4 and me@example.org', 'file.mp4 and me@example.org'],
])('no credential is left in %s (I8)', (given, expected) => {
  expect(redactUrl(given)).toBe(expected);
});
