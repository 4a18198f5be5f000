/** What streams on the bus do over time: the conditions of their sources, and the frames that each of their epochs publishes. */

import { onStatus } from '@stream-infer/bus/announcements';
import { readFrames } from '@stream-infer/bus/frame-reader';
import type { SourceCondition } from '@stream-infer/core/source-state';
import { eventually } from './eventually.ts';
import type { IngestWorld } from './ingest-world.ts';

export type RecordedFrame = { readonly n: number; readonly epoch: number; readonly atMs: number };

export class CameraRecorder {
  /** By stream, newest last. `atMs` is of `performance.now()`. */
  readonly #frames = new Map<string, RecordedFrame[]>();
  /** By stream: the newest condition, and when it was first told. */
  readonly #conditions = new Map<string, SourceCondition>();
  readonly #read = new Set<string>();
  readonly #stop = new AbortController();
  readonly #unsubscribe: () => void;
  readonly #world: IngestWorld;

  constructor(world: IngestWorld) {
    this.#world = world;
    this.#unsubscribe = onStatus(world.bus, '*', ({ stream, condition }) => this.#conditions.set(stream, condition));
    void this.#follow();
  }

  close(): void {
    this.#stop.abort();
    this.#unsubscribe();
  }

  /** Every frame of a stream so far, of all its epochs. */
  frames(stream: string): readonly RecordedFrame[] {
    return this.#frames.get(stream) ?? [];
  }

  /** `state reason`, as told last. */
  condition(stream: string): string {
    const { state, reason } = this.#conditions.get(stream) ?? { state: 'unknown', reason: 'unknown' };
    return `${state} ${reason}`;
  }

  async until(stream: string, condition: string, limitMs?: number): Promise<void> {
    await eventually(`${stream} is ${condition}`, () => this.condition(stream) === condition, limitMs).catch(
      (error: unknown) => {
        throw new Error(`${stream} is ${this.condition(stream)}`, { cause: error });
      },
    );
  }

  /** The first frame that comes from now on. */
  async nextFrame(stream: string, limitMs?: number): Promise<RecordedFrame> {
    const from = this.frames(stream).length;
    return eventually(`a frame of ${stream}`, () => this.frames(stream)[from], limitMs);
  }

  async #follow(): Promise<void> {
    for await (const change of this.#world.runs.watch(this.#stop.signal)) {
      if (change.kind !== 'put') continue;
      const { stream, epoch, state } = change.value;
      if (state.kind !== 'playing' || this.#read.has(`${stream} ${epoch}`)) continue;
      this.#read.add(`${stream} ${epoch}`);
      void this.#readEpoch(stream, epoch);
    }
  }

  async #readEpoch(stream: string, epoch: number): Promise<void> {
    const frames = this.#frames.get(stream) ?? [];
    this.#frames.set(stream, frames);
    const options = { replica: 'recorder', stream, epoch, from: 1, signal: this.#stop.signal };
    for await (const { header } of readFrames(this.#world.bus, options)) {
      if (header.kind === 'end') return;
      frames.push({ n: header.n, epoch, atMs: performance.now() });
    }
  }
}
