/**
 * Trims RESULTS, a few subjects at a time (EX-7). Only after a checkpoint of the store: what goes from the bus is then safe from a
 * power cut too. What an algorithm that comes after another may still be handed stays until its run ends.
 */

import type { Bus } from '@stream-infer/bus/bus';
import type { ResultMessage } from '@stream-infer/bus/result-reader';
import { acknowledgedByOthers, trimResults, untrimmedSubjects } from '@stream-infer/bus/result-trim';
import type { StoreUpkeep } from './result-store.ts';
import type { ResultWriter } from './result-writer.ts';
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
  store: Pick<StoreUpkeep, 'checkpoint'> & Pick<ResultWriter, 'lastSequence'>,
): ResultTrimmer {
  const ledger = createTrimLedger();
  let surveyed = false;

  /** Enters what an earlier process stored and left untrimmed. */
  const survey = async (): Promise<void> => {
    for await (const { subject, lastSequence, neededFrom } of untrimmedSubjects(bus)) {
      // What comes later is yet to be stored, and is entered then.
      if (lastSequence <= store.lastSequence()) ledger.found(subject, lastSequence, neededFrom);
    }
    surveyed = true;
  };

  return {
    reopened() {
      ledger.clear();
      surveyed = false;
    },
    stored: (message) => ledger.stored(message),
    async round(signal) {
      if (!surveyed) await survey();
      if (ledger.isEmpty()) return 0;
      const others = await acknowledgedByOthers(bus);
      // Together, without a turn of the event loop in between: all that is planned is in the checkpoint.
      const plans = store.checkpoint() ? ledger.plan(ROUND_SUBJECTS, others) : [];
      let trimmed = 0;
      for (const plan of plans) {
        if (signal.aborted) break;
        trimmed += await trimResults(bus, plan.subject, plan.before);
        ledger.trimmed(plan);
      }
      return trimmed;
    },
  };
}
