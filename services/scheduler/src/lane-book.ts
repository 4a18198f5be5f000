/** The book of one algorithm on one stream, and what brings the ledger of each run into it (EX-11). */

import { type InvocationFate, invocationFate } from '@stream-infer/core/fate';
import type { DropReason, Ledger, Outcome } from '@stream-infer/core/ledger';
import type { LedgerBook } from '@stream-infer/core/ledger-book';
import type { Mode } from '@stream-infer/core/stream-spec';

/** What metrics read of a schedule. */
export type Observed = {
  readonly algorithm: { readonly name: string };
  readonly ledger: Ledger;
  /** Windows that are triggered and not settled. */
  readonly open: number;
  readonly waiting: number;
  readonly underWay: number;
};

/** Of one algorithm on one stream. */
export type LaneBook = {
  readonly stream: string;
  readonly algorithm: string;
  readonly book: LedgerBook<InvocationFate>;
  /** Windows that were counted as due and are due once more, in an epoch to come. */
  dueAgain: number;
  /** In which it was followed: what is counted in them stands at 0 from the beginning, so that the first increase is seen. */
  readonly modes: Set<Mode>;
};

/** Brings into the lane's book what the ledger has counted since the last time. */
export function ledgerHolder(lane: LaneBook, one: Observed) {
  const { ledger } = one;
  let before = { triggered: ledger.triggered, totals: ledger.totals, deadLettered: ledger.deadLettered };
  return {
    update(): void {
      const now = { triggered: ledger.triggered, totals: ledger.totals, deadLettered: ledger.deadLettered };
      const due = now.triggered - before.triggered;
      const again = Math.min(due, lane.dueAgain);
      lane.dueAgain -= again;
      lane.book.enter(due - again);
      const settle = (outcome: Outcome, count: number): void => lane.book.settle(invocationFate(outcome), count);
      const deadLettered = now.deadLettered - before.deadLettered;
      settle('completed', now.totals.completed - before.totals.completed);
      settle('dead-lettered', deadLettered);
      settle('failed', now.totals.failed - before.totals.failed - deadLettered);
      for (const [reason, count] of Object.entries(now.totals.dropped))
        settle(reason as DropReason, count - (before.totals.dropped[reason] ?? 0));
      before = now;
    },
    get open(): number {
      return one.open;
    },
  };
}
