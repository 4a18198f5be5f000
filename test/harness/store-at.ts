/** The PostgreSQL store at a URL, as a collector of the default prefix opens it. */

import { openPostgresStore, type PostgresStore } from '../../services/collector/src/postgres-store/result-store.ts';
import { storeTarget } from '../../services/collector/src/postgres-store/store-target.ts';

/** @param migrations other ones than those that there are */
export const openStoreAt = (url: string, migrations?: readonly string[]): Promise<PostgresStore> =>
  openPostgresStore({
    target: () => storeTarget({ storeUrl: url, storeUrlFile: undefined, storeCa: undefined }),
    schema: 'stream-infer',
    report: () => undefined,
    onState: () => undefined,
    ...(migrations && { migrations }),
  });
