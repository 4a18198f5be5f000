/**
 * The headers of a frame on the bus, in both directions (docs/protocol.md). A consumer that asks for headers only learns from
 * them all that scheduling needs (D1).
 */

import type { FaultJson } from '@stream-infer/core/fault';
import { isFaultCode } from '@stream-infer/core/fault';
import type { SourceEnd } from '@stream-infer/core/run';
import { headers, type MsgHdrs } from 'nats';

/** A frame's place: what differs from frame to frame. Its geometry is in the run, and in the headers for other readers. */
export type FrameHeader = {
  readonly kind: 'frame';
  readonly run: string;
  readonly epoch: number;
  readonly n: number;
  /** n of the frame published before it, 0 for the first of the epoch: a gap is seen, never computed (EX-1). */
  readonly previous: number;
  readonly sourceIndex: number;
  readonly presentationTimeUs: number;
  /** Wall clock, milliseconds since 1970; 0 offline. */
  readonly capturedAtMs: number;
  /** From capture to publishing, as the ingest's monotonic clock measured it (EX-8). */
  readonly ageMs: number;
  readonly size: Size;
  readonly pixelFormat: string;
  readonly encoding: string;
  readonly sourceSize: Size;
};

/** The last message of an epoch whose source ended. */
export type EndHeader = { readonly kind: 'end'; readonly run: string; readonly epoch: number; readonly end: SourceEnd };

export type Size = { readonly width: number; readonly height: number };

const H = {
  run: 'Si-Run',
  epoch: 'Si-Epoch',
  n: 'Si-N',
  previous: 'Si-Prev',
  sourceIndex: 'Si-Index',
  presentationTimeUs: 'Si-Pts-Us',
  capturedAtMs: 'Si-Captured-Ms',
  ageMs: 'Si-Age-Ms',
  size: 'Si-Size',
  pixelFormat: 'Si-Pixel-Format',
  encoding: 'Si-Encoding',
  sourceSize: 'Si-Source-Size',
  end: 'Si-End',
  lastPlayed: 'Si-Last-Played',
  decoded: 'Si-Decoded',
  played: 'Si-Played',
  published: 'Si-Published',
  faultCode: 'Si-Fault-Code',
  faultMessage: 'Si-Fault-Message',
} as const;

/** Every header's name, for the document and its test. */
export const HEADER_NAMES: readonly string[] = Object.values(H);

const size = ({ width, height }: Size): string => `${width}x${height}`;

export function encodeFrameHeader(frame: FrameHeader): MsgHdrs {
  const h = headers();
  h.set(H.run, frame.run);
  h.set(H.epoch, String(frame.epoch));
  h.set(H.n, String(frame.n));
  h.set(H.previous, String(frame.previous));
  h.set(H.sourceIndex, String(frame.sourceIndex));
  h.set(H.presentationTimeUs, String(frame.presentationTimeUs));
  h.set(H.capturedAtMs, String(frame.capturedAtMs));
  h.set(H.ageMs, String(frame.ageMs));
  h.set(H.size, size(frame.size));
  h.set(H.pixelFormat, frame.pixelFormat);
  h.set(H.encoding, frame.encoding);
  h.set(H.sourceSize, size(frame.sourceSize));
  return h;
}

export function encodeEndHeader({ run, epoch, end }: EndHeader): MsgHdrs {
  const h = headers();
  h.set(H.run, run);
  h.set(H.epoch, String(epoch));
  h.set(H.end, String(end.lastPublished));
  h.set(H.lastPlayed, String(end.lastPlayed));
  h.set(H.decoded, String(end.decoded));
  h.set(H.played, String(end.played));
  h.set(H.published, String(end.published));
  if (end.fault) {
    h.set(H.faultCode, end.fault.code);
    h.set(H.faultMessage, encodeURIComponent(end.fault.message));
  }
  return h;
}

/** Throws RangeError where a header is missing or no number: whoever wrote the message broke the protocol. */
export function decodeHeader(h: MsgHdrs): FrameHeader | EndHeader {
  const text = (name: string): string => {
    const value = h.get(name);
    if (value === '') throw new RangeError(`a frame without the header ${name}`);
    return value;
  };
  const integer = (name: string): number => {
    const value = Number(text(name));
    if (!Number.isSafeInteger(value)) throw new RangeError(`the header ${name} is no integer: ${text(name)}`);
    return value;
  };
  const dimensions = (name: string): Size => {
    const [width, height] = text(name).split('x').map(Number);
    if (!width || !height) throw new RangeError(`the header ${name} is no size: ${text(name)}`);
    return { width, height };
  };
  const place = { run: text(H.run), epoch: integer(H.epoch) };
  if (h.has(H.end)) {
    const code = h.get(H.faultCode);
    const fault: FaultJson | undefined = isFaultCode(code)
      ? { code, message: decodeURIComponent(h.get(H.faultMessage)) }
      : undefined;
    return {
      kind: 'end',
      ...place,
      end: {
        lastPublished: integer(H.end),
        lastPlayed: integer(H.lastPlayed),
        decoded: integer(H.decoded),
        played: integer(H.played),
        published: integer(H.published),
        ...(fault && { fault }),
      },
    };
  }
  return {
    kind: 'frame',
    ...place,
    n: integer(H.n),
    previous: integer(H.previous),
    sourceIndex: integer(H.sourceIndex),
    presentationTimeUs: integer(H.presentationTimeUs),
    capturedAtMs: integer(H.capturedAtMs),
    ageMs: integer(H.ageMs),
    size: dimensions(H.size),
    pixelFormat: text(H.pixelFormat),
    encoding: text(H.encoding),
    sourceSize: dimensions(H.sourceSize),
  };
}
