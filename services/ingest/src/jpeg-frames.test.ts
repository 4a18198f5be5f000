import { expect, test } from 'vitest';
import { jpegFrameCutter } from './jpeg-frames.ts';

const picture = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, i) => (i * 13) % 256));
const part = (data: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(`--ffmpeg\r\nContent-type: image/jpeg\r\nContent-length: ${data.length}\r\n\r\n`),
    data,
    Buffer.from('\r\n'),
  ]);
const pictures = [picture(5), picture(300), picture(1), picture(5_000)];
const stream = Buffer.concat([...pictures.map(part), Buffer.from('--ffmpeg\r\n')]);

test.each([1, 2, 63, 64, 1_000, 100_000])('pictures are cut out of chunks of %i bytes', (length) => {
  const cutter = jpegFrameCutter();
  const seen: Uint8Array[] = [];
  for (let at = 0; at < stream.length; at += length) seen.push(...cutter.push(stream.subarray(at, at + length)));
  expect(seen.map((data) => Buffer.from(data).equals(pictures[seen.indexOf(data)] ?? Buffer.alloc(0)))).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(cutter.pending).toBe(0);
});

test('what is no multipart stream is refused rather than gathered', () => {
  expect(() => jpegFrameCutter().push(Buffer.alloc(2_000, 'x'))).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
  expect(() => jpegFrameCutter().push(Buffer.from('--ffmpeg\r\nContent-type: image/jpeg\r\n\r\n'))).toThrow(
    /no JPEG parts/,
  );
});
