/**
 * Whether the bus has room for one more stream: what its frame buffer will reserve, as far as that can be told before its source is
 * known, beside what others reserve. What cannot be told is admitted, and its ingest says `no-room` where there is none.
 */

import { Fault } from './fault.ts';
import { bytesPerFrame } from './pixel-format.ts';
import { bufferCapacity, samplePlan } from './sample-plan.ts';
import type { StreamSpec } from './stream-spec.ts';

/** Of a frame buffer: published frames (EX-3), and bytes of each. */
export type BufferSize = { readonly capacity: number; readonly bytesPerFrame: number };

/** Undefined where width, height or fps are the source's to tell. Throws what samplePlan throws. */
export function plannedBuffer(spec: StreamSpec): BufferSize | undefined {
  const { width, height, fps, mode, pixelFormat } = spec;
  if (width === undefined || height === undefined || fps === undefined) return undefined;
  const plan = samplePlan(spec, {
    width,
    height,
    fps,
    sampling: mode === 'realtime' ? 'time' : 'index',
    timeBase: '1/1000',
    live: mode === 'realtime',
    codec: '',
  });
  return { capacity: bufferCapacity(plan, mode), bytesPerFrame: bytesPerFrame(pixelFormat, width, height) };
}

/** What someone reserves, or is going to. */
export type Reservation = { readonly name: string; readonly bytes: number };

export type AdmissionRequest = {
  readonly stream: string;
  readonly needBytes: number;
  readonly limitBytes: number;
  /** Of all others. */
  readonly reserved: readonly Reservation[];
};

/** Throws BUS_NO_ROOM with the sum: what is needed, who reserves how much, what is left. */
export function admit({ stream, needBytes, limitBytes, reserved }: AdmissionRequest): void {
  const taken = reserved.reduce((sum, { bytes }) => sum + bytes, 0);
  const left = Math.max(0, limitBytes - taken);
  if (needBytes <= left) return;
  throw new Fault(
    'BUS_NO_ROOM',
    `stream ${stream} needs ${mib(needBytes)} of the bus's memory for its frames, and ${mib(left)} of ${mib(limitBytes)} are left: ${holders(reserved)}; choose a smaller width and height or a lower fps, remove a stream, or give the bus more memory`,
  );
}

const MOST_NAMED = 5;

function holders(reserved: readonly Reservation[]): string {
  if (reserved.length === 0) return 'nobody else reserves any';
  const [...largest] = [...reserved].sort((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1));
  const others = largest.splice(MOST_NAMED);
  const named = largest.map(({ name, bytes }) => `${name} reserves ${mib(bytes)}`);
  const rest = others.reduce((sum, { bytes }) => sum + bytes, 0);
  return [...named, ...(others.length > 0 ? [`${others.length} more ${mib(rest)}`] : [])].join(', ');
}

const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
