/**
 * Trims RESULTS, a few subjects and runs at a time (EX-7). Only after the store is synced: what goes from the bus is then safe from a
 * power cut too. What an algorithm that comes after another may still be handed stays until its run ends, and the last of each subject
 * for as long as the registry has a run of the stream.
 */

import type { Bus } from '@stream-infer/bus/bus';
import type { ResultMessage } from '@stream-infer/bus/result-reader';
import {
  acknowledgedByOthers,
  endedRuns,
  removeEndedRun,
  trimResults,
  untrimmedSubjects,
} from '@stream-infer/bus/result-trim';
import { EndedRuns } from './ended-runs.ts';
import type { ResultQueries } from './result-queries.ts';
import type { StoreUpkeep } from './result-store.ts';
import { createTrimLedger } from './trim-ledger.ts';

/** Bounds what one round asks of the server. */
const ROUND_SUBJECTS = 200;
const ROUND_RUNS = 100;

export type ResultTrimmer = {
  /** Reading begins anew, maybe of another RESULTS. */
  reopened(): void;
  /** The message is stored and acknowledged. */
  stored(message: ResultMessage): void;
  /** One round; returns how many messages went. Rejects with the client's errors. */
  round(signal: AbortSignal): Promise<number>;
};

export type ResultTrimmerOptions = {
  readonly bus: Bus;
  readonly store: Pick<StoreUpkeep, 'sync'> & Pick<ResultQueries, 'progress'>;
  /** Whether the registry has a run of the stream. */
  hasRunOf(stream: string): boolean;
  /** Milliseconds for which what stands of a run is left once the registry has none; a minute where it is left out. */
  readonly remainsMs?: number;
};

export function createResultTrimmer({ bus, store, hasRunOf, remainsMs }: ResultTrimmerOptions): ResultTrimmer {
  const ledger = createTrimLedger();
  const ended = new EndedRuns(remainsMs);
  let surveyed = false;
  /** How often reading has begun. */
  let opened = 0;

  /** Enters what an earlier process stored and left untrimmed. */
  const survey = async (): Promise<void> => {
    const begun = opened;
    const { sequence } = await store.progress();
    for await (const { subject, lastSequence, neededFrom } of untrimmedSubjects(bus)) {
      // What comes later is yet to be stored, and is entered then.
      if (lastSequence <= sequence) ledger.found(subject, lastSequence, neededFrom);
    }
    for await (const run of endedRuns(bus)) ended.ended(run);
    surveyed = opened === begun;
  };

  return {
    reopened() {
      opened += 1;
      ledger.clear();
      ended.clear();
      surveyed = false;
    },
    stored(message) {
      ledger.stored(message);
      const run = bus.topology.runOfEnd(message.subject);
      if (run) ended.ended(run);
    },
    async round(signal) {
      if (!surveyed) await survey();
      const gone = ended.due(hasRunOf, performance.now()).slice(0, ROUND_RUNS);
      if (ledger.isEmpty() && gone.length === 0) return 0;
      const planned = opened;
      const others = await acknowledgedByOthers(bus);
      // Planned before: all that is planned is committed by now.
      const plans = ledger.plan(ROUND_SUBJECTS, others);
      const { sequence } = await store.progress();
      await store.sync();
      // Sequences of another RESULTS mean nothing in this one.
      const isOver = (): boolean => signal.aborted || opened !== planned;
      let trimmed = 0;
      for (const plan of plans) {
        if (isOver()) return trimmed;
        trimmed += await trimResults(bus, plan.subject, plan.before);
        ledger.trimmed(plan);
      }
      for (const run of gone) {
        if (isOver()) return trimmed;
        const removed = await removeEndedRun(bus, run, Math.min(others, sequence));
        if (removed === undefined) ended.delayed(run);
        else {
          trimmed += removed;
          ended.removed(run);
        }
      }
      return trimmed;
    },
  };
}
