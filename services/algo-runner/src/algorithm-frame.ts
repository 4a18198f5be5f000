/**
 * A frame of the protocol as an algorithm is handed it. Pure; the bytes come from the frame source.
 */

import type { Frame } from '@stream-infer/algorithm';
import { Fault } from '@stream-infer/core/fault';
import { bytesPerFrame, type PixelFormat } from '@stream-infer/core/pixel-format';
import { type Frame as ProtoFrame, PixelFormat as ProtoPixelFormat } from '@stream-infer/proto/stream_infer/v1/frame';

const PIXEL_FORMATS: ReadonlyMap<ProtoPixelFormat, PixelFormat> = new Map([
  [ProtoPixelFormat.PIXEL_FORMAT_BGR24, 'bgr24'],
  [ProtoPixelFormat.PIXEL_FORMAT_RGB24, 'rgb24'],
  [ProtoPixelFormat.PIXEL_FORMAT_GRAY, 'gray'],
  [ProtoPixelFormat.PIXEL_FORMAT_YUV420P, 'yuv420p'],
]);

/** Throws FRAME_MISMATCH where the message names none. */
export function pixelFormatOf(frame: ProtoFrame): PixelFormat {
  const pixelFormat = PIXEL_FORMATS.get(frame.pixelFormat);
  if (pixelFormat) return pixelFormat;
  throw new Fault('FRAME_MISMATCH', `frame ${frame.n} names no pixel format: name one of stream_infer.v1.PixelFormat`);
}

/** @param data the decoded pixels. Throws FRAME_MISMATCH where they are not as many bytes as the geometry says. */
export function algorithmFrame(frame: ProtoFrame, data: Uint8Array): Frame {
  const pixelFormat = pixelFormatOf(frame);
  const bytes = bytesPerFrame(pixelFormat, frame.width, frame.height);
  if (data.byteLength !== bytes) {
    const geometry = `${frame.width}x${frame.height} ${pixelFormat}`;
    throw new Fault(
      'FRAME_MISMATCH',
      `frame ${frame.n} holds ${data.byteLength} bytes, and ${geometry} is ${bytes}: its geometry is another's`,
    );
  }
  return {
    index: frame.sourceIndex,
    n: frame.n,
    position: frame.positionNumerator / frame.positionDenominator,
    timestampMs: frame.presentationTimeUs / 1000,
    ...(frame.capturedAtMs > 0 && { capturedAtMs: frame.capturedAtMs }),
    width: frame.width,
    height: frame.height,
    pixelFormat,
    data,
    sourceWidth: frame.sourceWidth,
    sourceHeight: frame.sourceHeight,
  };
}
