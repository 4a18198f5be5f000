/**
 * Direct get: one message of a stream, answered by the server without a consumer or the stream's leader (D1). The client's own
 * types hide it; the request is public protocol ($JS.API.DIRECT.GET).
 */

import type { MsgHdrs } from 'nats';
import { API_TIMEOUT_MS, type Bus } from './bus.ts';
import { busErrorKind } from './bus-error.ts';
import { directGetSubject } from './topology.ts';

export type DirectMessage = { readonly sequence: number; readonly headers: MsgHdrs; readonly data: Uint8Array };

export type DirectQuery =
  | { readonly seq: number }
  /** The first of the subject with this sequence or a later one. */
  | { readonly seq: number; readonly next_by_subj: string }
  | { readonly last_by_subj: string };

/** Undefined where the stream has no such message, or is not there. Rejects where the server does not answer. */
export async function directGet(bus: Bus, stream: string, query: DirectQuery): Promise<DirectMessage | undefined> {
  try {
    const { headers, data } = await bus.connection.request(directGetSubject(stream), JSON.stringify(query), {
      timeout: API_TIMEOUT_MS,
    });
    // A status instead of a message: 404 is its absence.
    if (headers?.code !== 0) return undefined;
    return { sequence: Number(headers.get('Nats-Sequence')), headers, data };
  } catch (error) {
    if (busErrorKind(error) === 'no-responders') return undefined;
    throw error;
  }
}
