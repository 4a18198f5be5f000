/**
 * Runs that an earlier system on the same data was playing when it was killed. Nobody else is on this server, so that none of them has an
 * owner any more: they are given back, and an ingest plays them anew.
 */

import { connectBus } from '@stream-infer/bus/bus';
import { openRuns } from '@stream-infer/bus/registry';
import { NATS_PREFIX } from '../system/local-system.ts';

/** To be called before any ingest runs. */
export async function giveBackRuns(natsUrl: string): Promise<void> {
  const bus = await connectBus({ url: natsUrl, prefix: NATS_PREFIX, name: 'stream-infer-up' });
  try {
    const runs = await openRuns(bus);
    for (const { key, value, revision } of await runs.entries())
      if (value.state.kind === 'claimed' || value.state.kind === 'playing')
        await runs.update(key, { ...value, owner: '', state: { kind: 'claimed' } }, revision);
  } finally {
    await bus.close();
  }
}
