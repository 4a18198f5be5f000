/**
 * How far RESULTS reaches, as it grows: what a collector's live feed goes by while another collector stores. An ephemeral consumer of its own,
 * without bytes: all that counts is the newest sequence, so nothing that is missed on the way matters.
 */

import { setTimeout } from 'node:timers/promises';
import { AckPolicy, DeliverPolicy, type Msg, NatsError, nanos } from 'nats';
import type { Bus } from './bus.ts';
import { deliveryInfo } from './delivery-info.ts';

const HEARTBEAT_MS = 1_000;
const SILENCE_MS = 3 * HEARTBEAT_MS;
const RETRY_MS = 500;
/** The consumer goes by itself once nobody listens for so long. */
const INACTIVE_MS = 10_000;

export type ResultArrivals = {
  /** The newest sequence that is known of; 0 where none is. Smaller again where RESULTS was made anew. */
  newest(): number;
  /** Whether it is heard of. */
  following(): boolean;
  /** Counts how often following has begun. */
  begun(): number;
  /** Resolves when the signal aborts or the bus is closed. */
  readonly done: Promise<void>;
};

export function followResultArrivals(bus: Bus, signal: AbortSignal): ResultArrivals {
  let newest = 0;
  let begun = 0;
  let following = false;

  /** One consumer's life. */
  const once = async (): Promise<void> => {
    const subject = bus.newInbox();
    let heardAtMs = performance.now();
    const take = (error: NatsError | null, message: Msg): void => {
      heardAtMs = performance.now();
      // A heartbeat is not numbered.
      if (error === null && message.headers?.code !== 100)
        newest = Math.max(newest, deliveryInfo(message.reply).streamSequence);
    };
    const subscription = bus.connection.subscribe(subject, { callback: take });
    try {
      await bus.manager.consumers.add(bus.topology.resultsStream, {
        deliver_subject: subject,
        deliver_policy: DeliverPolicy.New,
        ack_policy: AckPolicy.None,
        headers_only: true,
        idle_heartbeat: nanos(HEARTBEAT_MS),
        inactive_threshold: nanos(INACTIVE_MS),
        mem_storage: true,
        num_replicas: 1,
      });
      const { state } = await bus.manager.streams.info(bus.topology.resultsStream);
      newest = state.last_seq;
      begun += 1;
      following = true;
      while (!signal.aborted && performance.now() - heardAtMs < SILENCE_MS)
        await setTimeout(HEARTBEAT_MS / 2, undefined, { signal }).catch(() => undefined);
    } finally {
      following = false;
      if (!bus.connection.isClosed()) subscription.unsubscribe();
    }
  };

  const run = async (): Promise<void> => {
    while (!signal.aborted && !bus.connection.isClosed()) {
      await once().catch((error: unknown) => {
        if (!(error instanceof NatsError)) throw error;
      });
      await setTimeout(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  };
  return { newest: () => newest, following: () => following, begun: () => begun, done: run() };
}
