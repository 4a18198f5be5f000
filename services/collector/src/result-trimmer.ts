/**
 * Trims RESULTS, a few subjects at a time (EX-7). Only after the store is synced: what goes from the bus is then safe from a
 * power cut too. What an algorithm that comes after another may still be handed stays until its run ends.
 */

import type { Bus } from '@stream-infer/bus/bus';
import type { ResultMessage } from '@stream-infer/bus/result-reader';
import { acknowledgedByOthers, trimResults, untrimmedSubjects } from '@stream-infer/bus/result-trim';
import type { ResultQueries } from './result-queries.ts';
import type { StoreUpkeep } from './result-store.ts';
import { createTrimLedger } from './trim-ledger.ts';

/** Bounds what one round asks of the server. */
const ROUND_SUBJECTS = 200;

export type ResultTrimmer = {
  /** Reading begins anew, maybe of another RESULTS. */
  reopened(): void;
  /** The message is stored and acknowledged. */
  stored(message: ResultMessage): void;
  /** One round; returns how many messages went. Rejects with the client's errors. */
  round(signal: AbortSignal): Promise<number>;
};

export function createResultTrimmer(
  bus: Bus,
  store: Pick<StoreUpkeep, 'sync'> & Pick<ResultQueries, 'progress'>,
): ResultTrimmer {
  const ledger = createTrimLedger();
  let surveyed = false;
  /** How often reading has begun. */
  let opened = 0;

  /** Enters what an earlier process stored and left untrimmed. */
  const survey = async (): Promise<void> => {
    const { sequence } = await store.progress();
    for await (const { subject, lastSequence, neededFrom } of untrimmedSubjects(bus)) {
      // What comes later is yet to be stored, and is entered then.
      if (lastSequence <= sequence) ledger.found(subject, lastSequence, neededFrom);
    }
    surveyed = true;
  };

  return {
    reopened() {
      opened += 1;
      ledger.clear();
      surveyed = false;
    },
    stored: (message) => ledger.stored(message),
    async round(signal) {
      if (!surveyed) await survey();
      if (ledger.isEmpty()) return 0;
      const planned = opened;
      const others = await acknowledgedByOthers(bus);
      // Planned before: all that is planned is committed by now.
      const plans = ledger.plan(ROUND_SUBJECTS, others);
      await store.sync();
      let trimmed = 0;
      for (const plan of plans) {
        // Sequences of another RESULTS mean nothing in this one.
        if (signal.aborted || opened !== planned) break;
        trimmed += await trimResults(bus, plan.subject, plan.before);
        ledger.trimmed(plan);
      }
      return trimmed;
    },
  };
}
