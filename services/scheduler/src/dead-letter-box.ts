/**
 * Where the letters of one stream's run and algorithm go, in trigger order and each once. A letter stands before its window's error result
 * does: a scheduler that dies in between leaves a window that its successor answers, and never an error without a letter.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '@stream-infer/bus/bus';
import { busErrorKind } from '@stream-infer/bus/bus-error';
import { lastDeadLetter, publishDeadLetter } from '@stream-infer/bus/dead-letters';
import type { DeadLetter } from '@stream-infer/core/dead-letter';

export type DeadLetterBoxOptions = {
  readonly bus: Bus;
  /** Gives up waiting. */
  readonly signal: AbortSignal;
  /** The bus refuses a letter or does not answer; called with each try. */
  refused(kind: string): void;
};

const RETRY_MS = 250;

export class DeadLetterBox {
  readonly #options: DeadLetterBoxOptions;
  /** Sequence of the subject's last letter; undefined where it is to be read. */
  #after: number | undefined;

  constructor(options: DeadLetterBoxOptions) {
    this.#options = options;
  }

  /** Resolves when the letter stands, or the signal aborts. */
  async put(letter: DeadLetter): Promise<void> {
    const { bus, signal, refused } = this.#options;
    while (!signal.aborted && !bus.connection.isClosed()) {
      try {
        if (this.#after === undefined) {
          const last = await lastDeadLetter(bus, letter);
          this.#after = last.sequence;
          if (last.n >= letter.n) return;
        }
        this.#after = await publishDeadLetter(bus, letter, this.#after);
        return;
      } catch (error) {
        this.#after = undefined;
        const kind = busErrorKind(error);
        // The one that it was to follow has given way to younger ones.
        if (kind === 'wrong-sequence') continue;
        refused(kind);
        await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }
}
