/**
 * Publishes the results of one stream and algorithm, one after the other, each once (EX-6). The last message of the subject is the
 * truth: after an answer that did not come, or a refusal, it is read, and tells whether this result stands there already.
 */

import { setTimeout } from 'node:timers/promises';
import type { Bus } from '@stream-infer/bus/bus';
import { busErrorKind } from '@stream-infer/bus/bus-error';
import { type LastMessage, lastResult, publishResult, type ResultFacts } from '@stream-infer/bus/result-stream';
import type { ResultRecord } from '@stream-infer/core/result-record';
import type { Progress } from '@stream-infer/core/schedule';
import type { Mode } from '@stream-infer/core/stream-spec';

export type ResultPublisherOptions = {
  readonly bus: Bus;
  readonly stream: string;
  readonly run: string;
  readonly algorithm: string;
  readonly mode: Mode;
  /** Gives up waiting. */
  readonly signal: AbortSignal;
  /** The bus refuses a result or does not answer; called with each try. */
  refused(kind: string): void;
};

/** `full`: realtime, and RESULTS takes nothing. `given-up`: the signal aborted before it was certain. */
export type PublishOutcome = 'published' | 'full' | 'given-up';

/** `neededFrom`: sequence of the oldest result that an algorithm that comes after this one may still want; 0 where none stands. */
export type Resumed = Progress & { readonly neededFrom: number; readonly remembers: boolean };

const RETRY_MS = 250;

export class ResultPublisher {
  readonly #options: ResultPublisherOptions;
  /** Sequence of the subject's last message. */
  #after = 0;

  constructor(options: ResultPublisherOptions) {
    this.#options = options;
  }

  /** Sequence of the last result that stands there, 0 where none does. */
  get lastSequence(): number {
    return this.#after;
  }

  /** What stands there already; to be asked before anything is published. Undefined where the signal aborted first. */
  async resume(): Promise<Resumed | undefined> {
    const { bus, signal, refused } = this.#options;
    while (!signal.aborted && !bus.connection.isClosed()) {
      try {
        const last = await this.#readLast();
        const { totals, neededFrom = last.sequence, remembers = false } = last;
        return { answeredThrough: lastN(last), neededFrom, remembers, ...(totals && { totals }) };
      } catch (error) {
        refused(busErrorKind(error));
        await setTimeout(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    return undefined;
  }

  /** Resolves when the result of window n stands in RESULTS, or never will. */
  async publish(n: number, bytes: Uint8Array, facts: ResultFacts): Promise<PublishOutcome> {
    const { bus, mode, signal, refused } = this.#options;
    while (!signal.aborted && !bus.connection.isClosed()) {
      try {
        this.#after = await publishResult(bus, this.#options, bytes, this.#after, facts);
        return 'published';
      } catch (error) {
        const kind = busErrorKind(error);
        if (kind === 'full' || kind === 'no-room') {
          refused(kind);
          if (mode === 'realtime') return 'full';
        } else if (await this.#stands(n)) return 'published';
        else if (kind === 'wrong-sequence') continue;
        else refused(kind);
        await setTimeout(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    return 'given-up';
  }

  /** Whether the result of window n, or a later one, is the subject's last message. */
  async #stands(n: number): Promise<boolean> {
    const last = await this.#readLast().catch(() => undefined);
    return last !== undefined && lastN(last) >= n;
  }

  async #readLast(): Promise<LastMessage> {
    const { bus, stream, run, algorithm } = this.#options;
    const last = await lastResult(bus, stream, run, algorithm);
    this.#after = last.sequence;
    return last;
  }
}

const lastN = ({ data }: LastMessage): number =>
  data === undefined ? 0 : (JSON.parse(new TextDecoder().decode(data)) as ResultRecord).n;
