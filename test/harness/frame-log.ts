/** The headers of every frame that an epoch's buffer took, whoever published it: what was refused is not among them. */

import type { Bus } from '@stream-infer/bus/bus';
import { readFrames } from '@stream-infer/bus/frame-reader';
import { openRuns } from '@stream-infer/bus/registry';
import { watchBucket } from '@stream-infer/bus/watch-bucket';

export type StoredFrame = {
  readonly stream: string;
  readonly epoch: number;
  readonly n: number;
  readonly presentationTimeUs: number;
};

export type FrameLog = { readonly frames: readonly StoredFrame[]; close(): Promise<void> };

/** From now on, and what is still there. */
export async function startFrameLog(bus: Bus): Promise<FrameLog> {
  const frames: StoredFrame[] = [];
  const stopped = new AbortController();
  const { signal } = stopped;
  const epochs = new Map<string, Promise<void>>();
  const read = async (stream: string, epoch: number): Promise<void> => {
    for await (const { header } of readFrames(bus, { replica: 'frame-log', stream, epoch, from: 1, signal })) {
      if (header.kind !== 'frame') continue;
      const { n, presentationTimeUs } = header;
      frames.push({ stream, epoch, n, presentationTimeUs });
    }
  };
  const watch = watchBucket(
    await openRuns(bus),
    (change) => {
      if (change.kind !== 'put' || change.value.state.kind !== 'playing') return;
      const { stream, epoch } = change.value;
      const name = bus.topology.framesStream(stream, epoch);
      if (!epochs.has(name)) epochs.set(name, read(stream, epoch));
    },
    () => undefined,
  );
  return {
    frames,
    async close() {
      stopped.abort();
      await watch.close();
      await Promise.all(epochs.values());
    },
  };
}

/** Frames that do not come after the one before them of their stream and epoch, and epochs that come back after another began. */
export function framesOutOfOrder(frames: readonly StoredFrame[]): readonly string[] {
  const newest = new Map<string, StoredFrame>();
  const found: string[] = [];
  for (const frame of frames) {
    const before = newest.get(frame.stream);
    const follows =
      before === undefined || frame.epoch > before.epoch || (frame.epoch === before.epoch && frame.n > before.n);
    if (!follows) found.push(`${frame.stream}/${frame.epoch}/${frame.n}`);
    newest.set(frame.stream, frame);
  }
  return found;
}
