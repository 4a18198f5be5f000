/** The last steps of a run on the bus: whether its end stands there, publishing it, deleting its buffer and snapshots. Each is tried until the bus takes it. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '@stream-infer/bus/bus';
import { deleteFrameBuffer } from '@stream-infer/bus/frame-stream';
import { hasRunEnded, publishRunEnd } from '@stream-infer/bus/result-stream';
import type { Snapshots } from '@stream-infer/bus/snapshots';
import { canonicalJson } from '@stream-infer/core/canonical-json';
import { type Fault, toFault } from '@stream-infer/core/fault';
import type { RunEnd } from '@stream-infer/core/result-record';
import type { PlayingRun } from './playing-run.ts';

export type RunClosingOptions = {
  readonly bus: Bus;
  readonly run: PlayingRun;
  readonly snapshots: Snapshots;
  /** Gives up: the run goes on elsewhere. */
  readonly signal: AbortSignal;
  report(fault: Fault, fields: Readonly<Record<string, unknown>>): void;
};

const RETRY_MS = 500;

export class RunClosing {
  readonly #options: RunClosingOptions;

  constructor(options: RunClosingOptions) {
    this.#options = options;
  }

  /**
   * Whether the run's end stands in RESULTS: one that stands in the registry may have been answered to its end long ago, by a process
   * that had no time to delete its buffer. Undefined where the signal aborted first.
   */
  isClosed(): Promise<boolean | undefined> {
    const { bus, run } = this.#options;
    return this.#untilTaken('whether it has ended is not known yet', () => hasRunEnded(bus, run));
  }

  /**
   * Whether the end was published; undefined where the signal aborted first.
   * @param end asked for with each try.
   * @param isForgotten whether another scheduler has published it, and it is gone.
   */
  publish(end: () => RunEnd, isForgotten: () => Promise<boolean>): Promise<'published' | 'forgotten' | undefined> {
    const { bus, run } = this.#options;
    return this.#untilTaken<'published' | 'forgotten'>('its end is not published yet', async () => {
      if (await isForgotten()) return 'forgotten';
      await publishRunEnd(bus, run, new TextEncoder().encode(canonicalJson(end())));
      return 'published';
    });
  }

  /** Deletes what nobody is to read any more. @param former names of all algorithms that the run had. Never rejects. */
  async clear(former: readonly string[]): Promise<void> {
    await this.#deleteBuffer();
    await this.#deleteSnapshots(former);
  }

  async #deleteBuffer(): Promise<void> {
    const { bus, run } = this.#options;
    await deleteFrameBuffer(bus, run.state.frames).catch((error: unknown) => {
      this.#failed(error, 'its frame buffer is not deleted');
    });
  }

  /** Of algorithms with memory. */
  async #deleteSnapshots(former: readonly string[]): Promise<void> {
    const { snapshots, run } = this.#options;
    for (const name of new Set([...run.spec.algorithms.map((algorithm) => algorithm.name), ...former]))
      await snapshots.delete({ stream: run.stream, run: run.run, algorithm: name }).catch((error: unknown) => {
        this.#failed(error, `the snapshot of ${name} is not deleted`);
      });
  }

  async #untilTaken<T>(what: string, step: () => Promise<T>): Promise<T | undefined> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      try {
        return await step();
      } catch (error) {
        this.#failed(error, what);
        await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    return undefined;
  }

  #failed(error: unknown, what: string): void {
    const { run, report } = this.#options;
    const { stream, epoch } = run;
    const fault = toFault(error, 'BUS_FAILED', `run ${run.run} of stream ${stream}: ${what}`);
    report(fault, { stream, run: run.run, epoch });
  }
}
