/**
 * Fetches a frame's bytes by reference: one direct get, answered by the server without a consumer (D1).
 */

import { Fault, toFault } from '@stream-infer/core/fault';
import type { MsgHdrs } from 'nats';
import type { Bus } from './bus.ts';
import { directGet } from './direct-get.ts';
import { decodeHeader, type FrameHeader } from './frame-headers.ts';

export type FetchedFrame = { readonly header: FrameHeader; readonly data: Uint8Array };

/** Throws FRAME_GONE where the buffer no longer has it, BUS_FAILED where the bus does not answer. */
export async function fetchFrame(bus: Bus, jetstreamStream: string, sequence: number): Promise<FetchedFrame> {
  const frame = `${jetstreamStream}#${sequence}`;
  const message = await directGet(bus, jetstreamStream, { seq: sequence }).catch((error: unknown) => {
    throw toFault(error, 'BUS_FAILED', `frame ${frame} could not be fetched`);
  });
  if (!message) throw new Fault('FRAME_GONE', `frame ${frame} left the buffer before it was fetched`);
  const header = frameHeader(frame, message.headers);
  if (header.kind !== 'frame') throw new Fault('FRAME_MISMATCH', `${frame} is no frame but an end marker`);
  return { header, data: message.data };
}

function frameHeader(frame: string, headers: MsgHdrs): ReturnType<typeof decodeHeader> {
  try {
    return decodeHeader(headers);
  } catch (error) {
    throw toFault(error, 'FRAME_MISMATCH', `${frame} is no frame`);
  }
}
