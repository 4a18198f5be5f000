/**
 * Gives frames back that nothing needs any more (EX-2): the buffer's prefix is purged, then announced, so that the ingest goes on. While
 * a purge is under way further releases join into the next, so a fast stream costs one call at a time.
 */

import { setTimeout } from 'node:timers/promises';
import { announceReleased } from '@stream-infer/bus/announcements';
import type { Bus } from '@stream-infer/bus/bus';
import { busErrorKind } from '@stream-infer/bus/bus-error';
import { purgeFrameBuffer } from '@stream-infer/bus/frame-stream';

export type ReleaserOptions = {
  readonly bus: Bus;
  readonly stream: string;
  readonly run: string;
  readonly epoch: number;
  /** Name of the JetStream stream. */
  readonly frames: string;
};

const RETRY_MS = 100;

export class Releaser {
  readonly #options: ReleaserOptions;
  readonly #closed = new AbortController();
  #wanted = 0;
  #purged = 0;
  #purging: Promise<void> | undefined;

  constructor(options: ReleaserOptions) {
    this.#options = options;
  }

  /** No frame with a sequence up to this one is needed. */
  through(sequence: number): void {
    this.#wanted = Math.max(this.#wanted, sequence);
    if (this.#purged < this.#wanted) this.#purging ??= this.#purge();
  }

  /** Purges nothing more, and resolves when no call is under way. Idempotent. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#purging;
  }

  async #purge(): Promise<void> {
    const { bus, stream, run, epoch, frames } = this.#options;
    while (this.#purged < this.#wanted && !this.#closed.signal.aborted) {
      const through = this.#wanted;
      try {
        await purgeFrameBuffer(bus, frames, through + 1);
        this.#purged = through;
        announceReleased(bus, stream, { run, epoch, through });
      } catch (error) {
        // Its owner deleted it: there is nothing to give back.
        if (busErrorKind(error) === 'stream-missing') break;
        await setTimeout(RETRY_MS, undefined, { signal: this.#closed.signal }).catch(() => undefined);
      }
    }
    this.#purging = undefined;
  }
}
