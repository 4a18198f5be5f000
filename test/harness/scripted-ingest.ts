/**
 * An ingest without a decoder: it puts a run into the registry and publishes the frames that the plan asks for, as the real one does.
 * Each frame holds its own n, so that a runner can tell what it was handed.
 */

import { onReleased } from '@stream-infer/bus/announcements';
import type { Bus } from '@stream-infer/bus/bus';
import type { FrameHeader } from '@stream-infer/bus/frame-headers';
import { createFrameBuffer, publishFrame } from '@stream-infer/bus/frame-stream';
import { openRuns } from '@stream-infer/bus/registry';
import type { FaultJson } from '@stream-infer/core/fault';
import type { Run, RunFacts, SourceFacts } from '@stream-infer/core/run';
import { bufferCapacity, isNeeded, type SamplePlan, samplePlan, sourceIndexOf } from '@stream-infer/core/sample-plan';
import type { StreamSpec } from '@stream-infer/core/stream-spec';

/** Where the spec asks for none. */
const FRAME_SIZE = { width: 4, height: 2 };

export type ScriptedIngest = {
  readonly run: Run;
  readonly plan: SamplePlan;
  readonly capacity: number;
  /** Messages published so far. */
  published(): number;
  /** The most that were published and not released at a time. */
  mostHeld(): number;
  /** Publishes the needed ones of the next `count` played frames; in realtime one each `everyMs`, late or not. Waits for releases offline. */
  play(count: number, everyMs?: number): Promise<void>;
  /** Publishes a frame as if the ones between it and the last were lost. */
  skip(count: number): void;
  /** Deletes what was published at this sequence from the buffer, as somebody might. */
  deleteFrame(sequence: number): Promise<void>;
  /** Publishes the end marker and ends the run in the registry. */
  end(fault?: FaultJson): Promise<void>;
  close(): void;
};

export async function startIngest(
  bus: Bus,
  spec: StreamSpec,
  source: SourceFacts,
  runId = 'r1',
): Promise<ScriptedIngest> {
  const plan = samplePlan(spec, source);
  const capacity = bufferCapacity(plan, spec.mode);
  const runs = await openRuns(bus);
  const claim = { run: runId, stream: spec.id, owner: 'scripted', spec, specRevision: 1, startedAtMs: 0 };
  const epoch = await runs.put(spec.id, { ...claim, epoch: 0, state: { kind: 'claimed' } });
  const size = { ...FRAME_SIZE, ...(spec.width && { width: spec.width }), ...(spec.height && { height: spec.height }) };
  const bytesPerFrame = size.width * size.height;
  const frames = await createFrameBuffer(bus, { stream: spec.id, epoch, mode: spec.mode, capacity, bytesPerFrame });
  const frame = { ...size, pixelFormat: 'gray', encoding: 'raw', bytesPerFrame } as const;
  const facts: RunFacts = { source, frame, frames, capacity, notices: [] };
  const run: Run = { ...claim, epoch, state: { kind: 'playing', ...facts } };
  await runs.put(spec.id, run);

  let released = 0;
  let wake: () => void = () => undefined;
  const stopListening = onReleased(bus, spec.id, (announced) => {
    released = Math.max(released, announced.through);
    wake();
  });
  await bus.connection.flush();
  let n = plan.firstN - 1;
  let previous = 0;
  let sequence = 0;
  let mostHeld = 0;
  const publish = (): Promise<unknown> => {
    const sourceIndex = source.sampling === 'index' ? sourceIndexOf(plan, n) : n - 1;
    const header: FrameHeader = {
      kind: 'frame',
      run: runId,
      epoch,
      n,
      previous,
      sourceIndex,
      presentationTimeUs: Math.floor((sourceIndex * 1e6 * plan.sourceFps.den) / plan.sourceFps.num),
      capturedAtMs: spec.mode === 'realtime' ? Date.now() : 0,
      ageMs: spec.mode === 'realtime' ? 3 : 0,
      size,
      pixelFormat: 'gray',
      encoding: 'raw',
      sourceSize: { width: 8, height: 4 },
    };
    previous = n;
    sequence += 1;
    mostHeld = Math.max(mostHeld, sequence - released);
    return publishFrame(bus, header, spec.id, frameData(n, bytesPerFrame), sequence);
  };
  return {
    run,
    plan,
    capacity,
    async deleteFrame(at) {
      await bus.manager.streams.deleteMessage(frames, at);
    },
    published: () => sequence,
    mostHeld: () => mostHeld,
    async play(count, everyMs = 0) {
      const pending: Promise<unknown>[] = [];
      const began = performance.now();
      for (let i = 0; i < count; i += 1) {
        n += 1;
        const dueMs = began + (i + 1) * everyMs - performance.now();
        if (everyMs > 0) await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs)));
        if (!isNeeded(plan, n)) continue;
        while (spec.mode === 'offline' && sequence - released >= capacity)
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        const stored = publish();
        // What the bus refuses is told below; until then it is not unhandled.
        stored.catch(() => undefined);
        pending.push(stored);
        if (pending.length >= 64) await Promise.all(pending.splice(0));
      }
      await Promise.all(pending);
    },
    skip(count) {
      for (let i = 0; i < count; i += 1) {
        n += 1;
        if (isNeeded(plan, n)) previous = n;
      }
    },
    async end(fault) {
      const played = n - plan.firstN + 1;
      const counts = { lastPublished: previous, lastPlayed: n, decoded: played, played, published: sequence };
      const end = { ...counts, ...(fault && { fault }) };
      await publishFrame(bus, { kind: 'end', run: runId, epoch, end }, spec.id, new Uint8Array(), sequence + 1);
      await runs.put(spec.id, { ...run, state: { kind: 'ended', facts } });
    },
    close: stopListening,
  };
}

const frameData = (n: number, bytes: number): Uint8Array => {
  const data = new Uint8Array(bytes);
  new DataView(data.buffer).setUint32(0, n);
  return data;
};

/** The n that a frame's pixels hold. */
export const frameNumber = (data: Uint8Array): number => new DataView(data.buffer, data.byteOffset).getUint32(0);
