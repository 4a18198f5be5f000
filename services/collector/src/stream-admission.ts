/** Whether the bus has room for a stream that is to be registered. */

import type { Bus } from '@stream-infer/bus/bus';
import { busMemory } from '@stream-infer/bus/bus-memory';
import { bufferBytes } from '@stream-infer/bus/frame-stream';
import { admit, plannedBuffer, type Reservation } from '@stream-infer/core/memory-admission';
import type { RegisteredStream } from '@stream-infer/core/registered-stream';
import type { Run } from '@stream-infer/core/run';
import type { StreamSpec } from '@stream-infer/core/stream-spec';

/** A stream that is registered, with its newest run. */
export type Neighbour = { readonly stream: RegisteredStream; readonly run: Run | undefined };

/** Throws BUS_NO_ROOM; the client's error where the bus does not answer. */
export type Admission = (stream: RegisteredStream, neighbours: readonly Neighbour[]) => Promise<void>;

/** @param limitBytes of the bus's memory; 0 where only the account's limit counts. */
export function createAdmission(bus: Bus, limitBytes: number): Admission {
  return async (stream, neighbours) => {
    const needBytes = plannedBytes(stream);
    if (needBytes === undefined) return;
    const memory = await busMemory(bus);
    const limit = memory.limitBytes ?? limitBytes;
    if (limit === 0) return;
    const others = memory.reserved.filter((each) => each.stream !== stream.id);
    const holding = new Set(others.map((each) => each.stream));
    const reserved: Reservation[] = others.map(({ stream: of, name, bytes }) => ({ name: of ?? name, bytes }));
    for (const { stream: other, run } of neighbours) {
      if (other.id === stream.id || holding.has(other.id) || isOver(run)) continue;
      reserved.push({ name: other.id, bytes: plannedBytesOf(other) });
    }
    admit({ stream: stream.id, needBytes, limitBytes: limit, reserved: reserved.filter(({ bytes }) => bytes > 0) });
  };
}

function plannedBytes(spec: StreamSpec): number | undefined {
  const buffer = plannedBuffer(spec);
  return buffer && bufferBytes(buffer);
}

/** Of a neighbour: one that cannot be played, whoever registered it, takes nothing. */
function plannedBytesOf(spec: StreamSpec): number {
  try {
    return plannedBytes(spec) ?? 0;
  } catch {
    return 0;
  }
}

const isOver = (run: Run | undefined): boolean => run?.state.kind === 'ended' || run?.state.kind === 'failed';
