/**
 * Where a window's result goes. Of a run: its dead letter where it failed for good, then RESULTS, in order. Of a replay: a success stands
 * beside the error that it mends (EX-6); an error is only told to whoever asked for the replay, and the letter stays as it is.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '@stream-infer/bus/bus';
import { busErrorKind } from '@stream-infer/bus/bus-error';
import { publishReplayed, publishReplayFailure } from '@stream-infer/bus/replays';
import type { ResultFacts } from '@stream-infer/bus/result-stream';
import type { ResultRecord } from '@stream-infer/core/result-record';
import type { Trigger } from '@stream-infer/core/schedule';
import type { Mode } from '@stream-infer/core/stream-spec';
import type { DeadLetterBox } from './dead-letter-box.ts';
import type { BufferedFrame } from './invocation-message.ts';
import type { ResultHold } from './result-hold.ts';
import type { PublishOutcome, ResultPublisher } from './result-publisher.ts';
import { deadLetterOf, type RecordBytes } from './window-result.ts';

export type WindowResult = RecordBytes & { readonly record: ResultRecord; readonly trigger: Trigger<BufferedFrame> };

export type Outlet = {
  /** What an error that is published here counts as. */
  readonly errorFate: 'failed' | 'dead-lettered';
  /** Resolves when it stands where it belongs, or never will. */
  publish(result: WindowResult, facts: Omit<ResultFacts, 'neededFrom'>): Promise<PublishOutcome>;
  /** Whether the run was ended by another scheduler, and what stood of it is gone. Rejects with the client's errors. */
  isForgotten(): Promise<boolean>;
};

export type RunOutletOptions = {
  readonly publisher: ResultPublisher;
  /** Where other algorithms come after this one. */
  readonly hold: ResultHold | undefined;
  readonly deadLetters: DeadLetterBox;
  readonly definition: string;
  readonly mode: Mode;
  /** Of the stream's spec. */
  readonly specHash: string;
};

export const runOutlet = (options: RunOutletOptions): Outlet => ({
  errorFate: 'dead-lettered',
  isForgotten: () => options.publisher.isForgotten(),
  async publish({ record, trigger, bytes, error }, facts) {
    const { publisher, hold, deadLetters, definition, mode, specHash } = options;
    // What was never sent failed upstream: the letter is there.
    if (error && record.attempts > 0) {
      const letterFacts = { definition, mode, error, specHash, diedAtMs: Date.now() };
      await deadLetters.put(deadLetterOf(record, trigger, letterFacts));
    }
    const neededFrom = hold?.neededFrom;
    const outcome = await publisher.publish(trigger.n, bytes, {
      ...facts,
      ...(neededFrom !== undefined && { neededFrom }),
    });
    if (outcome === 'published') hold?.published(trigger.n, publisher.lastSequence);
    return outcome;
  },
});

export type ReplayOutletOptions = {
  readonly bus: Bus;
  /** The stream that plays the replay. */
  readonly replay: string;
  /** Gives up waiting. */
  readonly signal: AbortSignal;
  /** The bus refuses a result or does not answer; called with each try. */
  refused(kind: string): void;
};

const RETRY_MS = 250;

export const replayOutlet = ({ bus, replay, signal, refused }: ReplayOutletOptions): Outlet => ({
  errorFate: 'failed',
  isForgotten: async () => false,
  async publish({ record, bytes, error }) {
    while (!signal.aborted && !bus.connection.isClosed()) {
      try {
        if (error) await publishReplayFailure(bus, replay, record.n, bytes);
        else await publishReplayed(bus, record, bytes);
        return 'published';
      } catch (thrown) {
        refused(busErrorKind(thrown));
        await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    return 'given-up';
  },
});
