/**
 * The size at which frames are published. Without one asked for it is the source's own, or the largest of that shape that one
 * message of the bus holds; a size asked for that does not fit is refused, never changed.
 */

import { askedSize, type Size } from '@stream-infer/core/asked-size';
import { Fault } from '@stream-infer/core/fault';
import { bytesPerFrame, type PixelFormat } from '@stream-infer/core/pixel-format';
import type { FrameFormat } from '@stream-infer/core/run';
import type { StreamSpec } from '@stream-infer/core/stream-spec';

export type { Size } from '@stream-infer/core/asked-size';

export type Geometry = {
  readonly frame: FrameFormat;
  /** What was decided for the user, one line each. */
  readonly notices: readonly string[];
};

/** A frame's headers and subject, generously: what a message holds beside the picture. */
const HEADER_BYTES = 8_192;

export type GeometryOptions = {
  readonly spec: StreamSpec;
  /** The decoded picture after rotation. */
  readonly source: Size;
  /** The largest message that the bus takes. */
  readonly maxPayloadBytes: number;
};

/** Throws SIZE_TOO_LARGE, SIZE_ODD or CONFIG_INVALID, naming what would do. */
export function frameGeometry({ spec, source, maxPayloadBytes }: GeometryOptions): Geometry {
  const { pixelFormat, encoding } = spec;
  if (encoding === 'jpeg' && pixelFormat === 'yuv420p')
    throw new Fault(
      'CONFIG_INVALID',
      `stream ${spec.id}: encoding jpeg cannot carry pixelFormat yuv420p, since a JPEG decodes to RGB: choose bgr24, rgb24 or gray, or encoding raw`,
    );
  const room: Room = { pixelFormat, bytes: maxPayloadBytes - HEADER_BYTES };
  const { width, height } = source;
  const asked = askedSize(spec, source);
  const { size, notices } = asked
    ? { size: fitting(asked, room, spec.id), notices: [] }
    : ownSize({ width, height }, room, spec.id);
  const bytes = bytesPerFrame(pixelFormat, size.width, size.height);
  return { frame: { ...size, pixelFormat, encoding, bytesPerFrame: bytes }, notices };
}

/** What a frame has to fit into. JPEG frames too are bounded by their raw bytes, since any picture must fit. */
type Room = { readonly pixelFormat: PixelFormat; readonly bytes: number };

const fits = ({ width, height }: Size, { pixelFormat, bytes }: Room): boolean =>
  bytesPerFrame(pixelFormat, width, height) <= bytes;

const isOddFor = ({ width, height }: Size, pixelFormat: PixelFormat): boolean =>
  pixelFormat === 'yuv420p' && (width % 2 === 1 || height % 2 === 1);

function fitting(size: Size, room: Room, stream: string): Size {
  if (isOddFor(size, room.pixelFormat)) {
    const even = evenBelow(size);
    throw new Fault(
      'SIZE_ODD',
      `stream ${stream}: yuv420p needs an even width and height, and ${text(size)} is odd: choose ${text(even)} or ${text({ width: even.width + 2, height: even.height + 2 })}, or another pixelFormat`,
    );
  }
  if (fits(size, room)) return size;
  const largest = largestFitting(size, room);
  const half = evenBelow({ width: largest.width / 2, height: largest.height / 2 });
  throw new Fault(
    'SIZE_TOO_LARGE',
    `stream ${stream}: a frame of ${text(size)} in ${room.pixelFormat} has ${megabytes(bytesPerFrame(room.pixelFormat, size.width, size.height))} and one message of the bus holds ${megabytes(room.bytes)}: choose ${text(largest)} or ${text(half)}, or raise max_payload of nats-server`,
  );
}

/** The source's size, or what comes nearest to it. */
function ownSize(source: Size, room: Room, stream: string): { size: Size; notices: string[] } {
  if (fits(source, room)) {
    if (!isOddFor(source, room.pixelFormat)) return { size: source, notices: [] };
    const size = evenBelow(source);
    return {
      size,
      notices: [`stream ${stream}: yuv420p needs even sizes: frames of ${text(source)} are published at ${text(size)}`],
    };
  }
  const size = largestFitting(source, room);
  const bytes = megabytes(bytesPerFrame(room.pixelFormat, source.width, source.height));
  return {
    size,
    notices: [
      `stream ${stream}: a frame of ${text(source)} in ${room.pixelFormat} has ${bytes} and one message of the bus holds ${megabytes(room.bytes)}: frames are published at ${text(size)}; give a width or height, or raise max_payload of nats-server`,
    ],
  };
}

/** The largest even size of this shape that fits. */
function largestFitting(shape: Size, room: Room): Size {
  const scale = Math.sqrt(room.bytes / bytesPerFrame(room.pixelFormat, shape.width, shape.height));
  const atWidth = (width: number): Size => evenBelow({ width, height: (width * shape.height) / shape.width });
  let size = atWidth(shape.width * Math.min(1, scale) + 2);
  while (size.width > 2 && (size.width > shape.width || !fits(size, room))) size = atWidth(size.width - 2);
  return size;
}

const evenBelow = ({ width, height }: Size): Size => ({
  width: Math.max(2, Math.floor(width / 2) * 2),
  height: Math.max(2, Math.floor(height / 2) * 2),
});

const text = ({ width, height }: Size): string => `${width}x${height}`;

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e6 ? 2 : 1)} MB`;
