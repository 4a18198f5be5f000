/** A fate that does not come into the book of a scheduler in the test's own process, as a defect would have it. */

import type { Fated } from '@stream-infer/core/fate';
import { LedgerBook } from '@stream-infer/core/ledger-book';
import { vi } from 'vitest';

/** Keeps the first of these from the books; what it returns gives it to the book that was to have it. */
export function withheld(fate: string): { readonly isHeld: boolean; give(): void } {
  const settle = LedgerBook.prototype.settle;
  let give: (() => void) | undefined;
  vi.spyOn(LedgerBook.prototype, 'settle').mockImplementation(function (
    this: LedgerBook<string>,
    fated: Fated<string>,
    count = 1,
  ) {
    if (give === undefined && count > 0 && fated.fate === fate) give = () => settle.call(this, fated, count);
    else settle.call(this, fated, count);
  });
  return {
    get isHeld() {
      return give !== undefined;
    },
    give: () => give?.(),
  };
}
