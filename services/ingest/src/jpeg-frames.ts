/**
 * Cuts ffmpeg's `mpjpeg` output into JPEG pictures: parts of a multipart stream, each with its length in front.
 *
 * `--ffmpeg CRLF Content-type: image/jpeg CRLF Content-length: <bytes> CRLF CRLF <picture> CRLF`
 */

import { Fault } from '@stream-infer/core/fault';
import type { FrameCutter } from './raw-frames.ts';

const HEAD_END = Buffer.from('\r\n\r\n');
/** A head is some 70 bytes. */
const MOST_HEAD_BYTES = 1_024;

/** Throws INTERNAL in `push` where the stream is not what the muxer writes. */
export function jpegFrameCutter(): FrameCutter {
  let head: Buffer = Buffer.alloc(0);
  let picture: Buffer | undefined;
  let filled = 0;

  /** Takes a head's bytes, and how many of the chunk it took; begins a picture once the head is whole. */
  const readHead = (chunk: Uint8Array): number => {
    const known = head.byteLength;
    head = Buffer.concat([head, chunk.subarray(0, MOST_HEAD_BYTES)]);
    const end = head.indexOf(HEAD_END);
    if (end < 0) {
      if (head.byteLength >= MOST_HEAD_BYTES) throw notMultipart(head);
      return chunk.byteLength;
    }
    const length = /content-length:\s*(\d+)/i.exec(head.toString('latin1', 0, end))?.[1];
    if (length === undefined) throw notMultipart(head);
    picture = Buffer.allocUnsafeSlow(Number(length));
    filled = 0;
    head = Buffer.alloc(0);
    return end + HEAD_END.byteLength - known;
  };

  return {
    get pending() {
      return picture === undefined ? 0 : filled;
    },
    push(chunk) {
      const whole: Uint8Array[] = [];
      let offset = 0;
      while (offset < chunk.byteLength) {
        if (picture === undefined) {
          offset += readHead(chunk.subarray(offset));
          continue;
        }
        const length = Math.min(picture.byteLength - filled, chunk.byteLength - offset);
        picture.set(chunk.subarray(offset, offset + length), filled);
        offset += length;
        filled += length;
        if (filled < picture.byteLength) continue;
        whole.push(picture);
        picture = undefined;
        filled = 0;
      }
      return whole;
    },
  };
}

const notMultipart = (head: Buffer): Fault =>
  new Fault('INTERNAL', `ffmpeg wrote no JPEG parts but ${JSON.stringify(head.toString('latin1', 0, 60))}`);
