/**
 * Gives frames back that nothing needs any more (EX-2): the buffer's prefix is purged, then announced, so that the ingest goes on.
 * Releases are gathered: a few frames, or a few milliseconds, make one purge, and one purge is under way at a time. The slack of the
 * buffer's capacity (EX-3) pays for it.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { announceReleased } from '@stream-infer/bus/announcements';
import type { Bus } from '@stream-infer/bus/bus';
import { busErrorKind } from '@stream-infer/bus/bus-error';
import { purgeFrameBuffer } from '@stream-infer/bus/frame-stream';
import type { PlayingRun } from './playing-run.ts';

export type ReleaserOptions = {
  readonly bus: Bus;
  /** Whose buffer it is. */
  readonly run: PlayingRun;
};

const GATHERED_FRAMES = 6;
const GATHER_MS = 40;
const RETRY_MS = 100;

export class Releaser {
  readonly #options: ReleaserOptions;
  readonly #closed = new AbortController();
  #wanted = 0;
  #purged = 0;
  #purging: Promise<void> | undefined;
  #gathering: NodeJS.Timeout | undefined;

  constructor(options: ReleaserOptions) {
    this.#options = options;
  }

  /** No frame with a sequence up to this one is needed. */
  through(sequence: number): void {
    if (this.#closed.signal.aborted) return;
    this.#wanted = Math.max(this.#wanted, sequence);
    if (this.#wanted - this.#purged >= GATHERED_FRAMES) this.#start();
    else this.#gathering ??= setTimeout(() => this.#start(), GATHER_MS);
  }

  /** Purges nothing more, and resolves when no call is under way. Idempotent. */
  async close(): Promise<void> {
    this.#closed.abort();
    clearTimeout(this.#gathering);
    await this.#purging;
  }

  #start(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    if (this.#purged < this.#wanted && !this.#closed.signal.aborted) this.#purging ??= this.#purge();
  }

  async #purge(): Promise<void> {
    const { bus, run: playing } = this.#options;
    const { stream, run, epoch } = playing;
    const { frames } = playing.state;
    const through = this.#wanted;
    try {
      await purgeFrameBuffer(bus, frames, through + 1);
      this.#purged = through;
      announceReleased(bus, stream, { run, epoch, through });
    } catch (error) {
      // Where its owner deleted it, there is nothing to give back.
      if (busErrorKind(error) === 'stream-missing') this.#closed.abort();
      else await sleep(RETRY_MS, undefined, { signal: this.#closed.signal }).catch(() => undefined);
    }
    this.#purging = undefined;
    if (this.#purged < this.#wanted) this.through(this.#wanted);
  }
}
