/**
 * Publishes the results of one stream and algorithm, one after the other, each once (EX-6). The last message of the subject is the
 * truth: after an answer that did not come, or a refusal, it is read, and tells whether this result stands there already.
 */

import { setTimeout } from 'node:timers/promises';
import type { Bus } from '@stream-infer/bus/bus';
import { type BusErrorKind, busErrorKind } from '@stream-infer/bus/bus-error';
import { openRuns } from '@stream-infer/bus/registry';
import { resultProgress } from '@stream-infer/bus/result-progress';
import { type LastResult, lastResult, publishResult, type ResultFacts } from '@stream-infer/bus/result-stream';
import type { Snapshots } from '@stream-infer/bus/snapshots';
import type { Progress } from '@stream-infer/core/schedule';
import type { Snapshot } from '@stream-infer/core/state-turns';
import type { Mode } from '@stream-infer/core/stream-spec';

export type ResultPublisherOptions = {
  readonly bus: Bus;
  readonly stream: string;
  readonly run: string;
  readonly algorithm: string;
  readonly mode: Mode;
  /** This scheduler's fencing token for the stream. */
  readonly token: number;
  readonly snapshots: Snapshots;
  /** Gives up waiting. */
  readonly signal: AbortSignal;
  /** The bus refuses a result or does not answer; called with each try. */
  refused(kind: string): void;
};

/**
 * `full`: realtime, and RESULTS takes nothing. `fenced`: refused, since another scheduler has published since: it has the stream. `given-up`:
 * the signal aborted before it was certain.
 */
export type PublishOutcome = 'published' | 'full' | 'fenced' | 'given-up';

export type Resumed = Progress & {
  /** Sequence of the oldest result that an algorithm that comes after this one may still want; 0 where none stands. */
  readonly neededFrom: number;
  /** An algorithm with memory has published them. */
  readonly remembers: boolean;
  readonly snapshot: Snapshot | undefined;
};

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
    const { bus, snapshots, mode, signal, refused } = this.#options;
    while (!signal.aborted && !bus.connection.isClosed()) {
      try {
        const { last, snapshot, runsAfter } = await resultProgress(bus, snapshots, this.#options, mode);
        this.#after = last.sequence;
        const { n, totals, neededFrom = last.sequence, remembers = false } = last;
        const progress = {
          answeredThrough: n,
          ...(totals && { totals }),
          ...(runsAfter < n && { replayAfter: runsAfter }),
        };
        return { ...progress, neededFrom, remembers, snapshot };
      } catch (error) {
        refused(busErrorKind(error));
        await setTimeout(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    return undefined;
  }

  /** Resolves when the result of window n stands in RESULTS, or never will. */
  async publish(n: number, bytes: Uint8Array, facts: ResultFacts): Promise<PublishOutcome> {
    const { bus, token, signal } = this.#options;
    while (!signal.aborted && !bus.connection.isClosed()) {
      try {
        this.#after = await publishResult(bus, this.#options, bytes, { ...facts, after: this.#after, token });
        return 'published';
      } catch (error) {
        const outcome = await this.#refused(n, busErrorKind(error));
        if (outcome === 'wait') await setTimeout(RETRY_MS, undefined, { signal }).catch(() => undefined);
        else if (outcome !== 'again') return outcome;
      }
    }
    return 'given-up';
  }

  /**
   * Whether what it has published stands there no more, and the registry has no run of the stream: then the run is over, and was ended by another
   * scheduler while this one stood still. Rejects with the client's errors.
   */
  async isForgotten(): Promise<boolean> {
    return this.#after > 0 && (await this.#hasVanished(await lastResult(this.#options.bus, this.#options)));
  }

  async #hasVanished({ sequence }: LastResult): Promise<boolean> {
    const { bus, stream } = this.#options;
    return sequence === 0 && (await (await openRuns(bus)).get(stream)) === undefined;
  }

  /** What follows from a refusal, or from an answer that did not come. */
  async #refused(n: number, kind: BusErrorKind): Promise<PublishOutcome | 'again' | 'wait'> {
    const { mode, token, refused } = this.#options;
    if (kind === 'full' || kind === 'no-room') {
      refused(kind);
      return mode === 'realtime' ? 'full' : 'wait';
    }
    const last = await this.#readLast().catch(() => undefined);
    if (last === 'forgotten' || (last && last.token > token)) return 'fenced';
    if (last && last.n >= n) return 'published';
    if (last && kind === 'wrong-sequence') return 'again';
    refused(kind);
    return 'wait';
  }

  async #readLast(): Promise<LastResult | 'forgotten'> {
    const last = await lastResult(this.#options.bus, this.#options);
    if (this.#after > 0 && (await this.#hasVanished(last))) return 'forgotten';
    this.#after = last.sequence;
    return last;
  }
}
