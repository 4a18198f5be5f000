/** The store that the settings name: a database where there is one, else a file. */

import { type Fault, toFault } from '@stream-infer/core/fault';
import type { ServiceContext } from '@stream-infer/service-kit/service';
import type { CollectorMetrics } from './metrics.ts';
import { openPostgresStore } from './postgres-store/result-store.ts';
import { storeName } from './postgres-store/store-address.ts';
import { namesDatabase, type StoreTarget, storeTarget } from './postgres-store/store-target.ts';
import type { ResultStore } from './result-store.ts';
import { openSqliteStore } from './sqlite-store/result-store.ts';

export type ConfiguredStore = {
  readonly store: ResultStore;
  /** As messages name it. */
  readonly name: string;
  /** Whether other collectors may use it at the same time. */
  readonly shared: boolean;
  /** Whether it can be had now. */
  available(): boolean;
};

/** Rejects with STORE_FAILED, STORE_UNAUTHORIZED, TLS_REFUSED, CONFIG_INVALID and CREDENTIALS_INVALID. */
export async function openConfiguredStore(
  { settings, logger, report }: ServiceContext<'collector'>,
  metrics: CollectorMetrics,
): Promise<ConfiguredStore> {
  if (!namesDatabase(settings)) {
    const { storePath: name } = settings;
    metrics.storeConnected.set(1);
    return { store: openSqliteStore(name, report), name, shared: false, available: () => true };
  }
  const target = storeTargets(settings, report);
  const name = storeName(target().address);
  const store = await openPostgresStore({
    target,
    schema: settings.natsPrefix,
    report,
    onState(state, before) {
      metrics.storeConnected.set(state.kind === 'open' ? 1 : 0);
      if (state.kind === 'open' && before?.kind === 'away')
        logger.info({ store: name }, 'the database of the results is there again');
    },
  });
  return { store, name, shared: true, available: () => store.state().kind === 'open' };
}

/** Read each time; what could be read once goes on to count while the files cannot be, as in the middle of being replaced, which is told once. */
function storeTargets(
  settings: ServiceContext<'collector'>['settings'],
  report: (fault: Fault) => void,
): () => StoreTarget {
  let last = storeTarget(settings);
  let told = '';
  return () => {
    try {
      last = storeTarget(settings);
      told = '';
    } catch (error) {
      const fault = toFault(error, 'CREDENTIALS_INVALID', 'what names the database of the results cannot be read');
      if (fault.message !== told) report(fault);
      told = fault.message;
    }
    return last;
  };
}
