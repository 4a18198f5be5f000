/** What a service tells at /debug/ledger. */

import type { BookJson } from '@stream-infer/core/ledger-book';
import type { ServiceProcess } from './service-process.ts';

/** By stream; the ingest has frames alone. */
export type Ledgers = Readonly<
  Record<string, { readonly frames: BookJson; readonly algorithms?: Readonly<Record<string, BookJson>> }>
>;

export async function ledgersOf(service: ServiceProcess): Promise<Ledgers> {
  const answer = await fetch(`${service.addresses.http}/debug/ledger`);
  return (await answer.json()) as Ledgers;
}

/** How many have this fate, whatever the reason. */
export const fated = ({ fates }: BookJson, fate: string): number => {
  const counts = fates[fate] ?? 0;
  return typeof counts === 'number' ? counts : Object.values(counts).reduce((sum, count) => sum + count, 0);
};

/** The sum over all fates. */
export const settled = (book: BookJson): number =>
  Object.keys(book.fates).reduce((sum, fate) => sum + fated(book, fate), 0);
