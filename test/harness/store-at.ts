/** The PostgreSQL store at a URL, as a collector of the default prefix opens it. */

import type { Migration } from '../../services/collector/src/postgres-store/migrations.ts';
import { openPostgresStore, type PostgresStore } from '../../services/collector/src/postgres-store/result-store.ts';
import { storeTarget } from '../../services/collector/src/postgres-store/store-target.ts';
import type { ResultWriter } from '../../services/collector/src/result-store.ts';
import type { StoreItem } from '../../services/collector/src/store-item.ts';

/** @param migrations other ones than those that there are */
export const openStoreAt = (url: string, migrations?: readonly Migration[]): Promise<PostgresStore> =>
  openPostgresStore({
    target: () => storeTarget({ storeUrl: url, storeUrlFile: undefined, storeCa: undefined }),
    schema: 'stream-infer',
    report: () => undefined,
    onState: () => undefined,
    ...(migrations && { migrations }),
  });

/** The stream of results that test items come from. */
export const RESULTS = { created: 'monday', lastSequence: 1_000_000 };

/** Results 1 to n of one series, each with its n as its sequence. */
export const storeItems = (from: number, to: number): StoreItem[] =>
  Array.from({ length: to - from + 1 }, (_, index) => {
    const n = from + index;
    const place = { stream: 'cam', run: 'r1', algorithm: 'faces', n, keyMs: n };
    return { kind: 'result', sequence: n, ...place, rank: 1, text: `{"n":${n}}` };
  });

/** The turn to write, and where it goes on. */
export async function storeTurn(store: PostgresStore): Promise<ResultWriter> {
  const writer = await store.takeTurn(AbortSignal.timeout(20_000), () => undefined);
  if (writer === undefined) throw new Error('there was no turn to take');
  await writer.resume(RESULTS);
  return writer;
}
