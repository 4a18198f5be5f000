/** What ingests and schedulers tell of streams, the newest of each. They tell at least once a second: silence says something too. */

import { type LaneStatus, onLanes, onStatus, type SourceStatus } from '@stream-infer/bus/announcements';
import type { Bus } from '@stream-infer/bus/bus';

/** With the time of hearing, by the monotonic clock. */
export type Heard<T> = { readonly status: T; readonly atMs: number };

export type HeardOf = { readonly source?: Heard<SourceStatus>; readonly lanes?: Heard<LaneStatus> };

export type StatusBoard = {
  /** What was told last of this run of the stream. */
  of(stream: string, run: string): HeardOf;
  close(): void;
};

/** What nobody has told anything of for so long is forgotten. */
const FORGOTTEN_MS = 60_000;

export function createStatusBoard(bus: Bus): StatusBoard {
  const sources = new Map<string, Heard<SourceStatus>>();
  const lanes = new Map<string, Heard<LaneStatus>>();
  const closers = [
    onStatus(bus, '*', (status) => sources.set(status.stream, { status, atMs: performance.now() })),
    onLanes(bus, '*', (status) => lanes.set(status.stream, { status, atMs: performance.now() })),
  ];
  const forgetting = setInterval(() => {
    const before = performance.now() - FORGOTTEN_MS;
    for (const board of [sources, lanes])
      for (const [stream, { atMs }] of board) if (atMs < before) board.delete(stream);
  }, FORGOTTEN_MS);
  return {
    of(stream, run) {
      const source = sources.get(stream);
      const lane = lanes.get(stream);
      return {
        ...(source?.status.run === run && { source }),
        ...(lane?.status.run === run && { lanes: lane }),
      };
    },
    close() {
      clearInterval(forgetting);
      for (const close of closers) close();
    },
  };
}
