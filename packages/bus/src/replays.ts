/**
 * Replays of dead letters. A success stands on a subject of its own in RESULTS, once for ever, so that the order and the progress of its run's
 * subject stay as they are (EX-6). What else there is to tell of a replay, its failures and its end, stands beside the dead letters until
 * whoever asked for the replay has read it.
 */

import type { ResultRecord, RunEnd } from '@stream-infer/core/result-record';
import type { Bus } from './bus.ts';
import { busErrorKind } from './bus-error.ts';
import { directGet } from './direct-get.ts';

type Window = Pick<ResultRecord, 'stream' | 'run' | 'algorithm' | 'n'>;

/** Publishes a success; one that stands there already is no fault. Rejects with the client's error. */
export async function publishReplayed(
  bus: Bus,
  { stream, run, algorithm, n }: Window,
  bytes: Uint8Array,
): Promise<void> {
  const subject = bus.topology.replayedSubject(stream, run, algorithm, n);
  await bus.jetstream.publish(subject, bytes, { expect: { lastSubjectSequence: 0 } }).catch((error: unknown) => {
    if (busErrorKind(error) !== 'wrong-sequence') throw error;
  });
}

/** Whether the window's success stands. */
export async function isReplayed(bus: Bus, { stream, run, algorithm, n }: Window): Promise<boolean> {
  const { resultsStream, replayedSubject } = bus.topology;
  const found = await directGet(bus, resultsStream, { last_by_subj: replayedSubject(stream, run, algorithm, n) });
  return found !== undefined;
}

/** Publishes the record of a window that failed again. */
export async function publishReplayFailure(bus: Bus, replay: string, n: number, bytes: Uint8Array): Promise<void> {
  await bus.jetstream.publish(bus.topology.replayFailureSubject(replay, n), bytes);
}

export const replayFailure = (bus: Bus, replay: string, n: number): Promise<ResultRecord | undefined> =>
  lastOn<ResultRecord>(bus, bus.topology.replayFailureSubject(replay, n));

/** How a replay ended; undefined while it goes on. */
export const replayEnd = (bus: Bus, replay: string): Promise<RunEnd | undefined> =>
  lastOn<RunEnd>(bus, bus.topology.replayEndSubject(replay));

/** Removes what was told of a replay. */
export async function forgetReplay(bus: Bus, replay: string): Promise<void> {
  const { deadLettersStream, anyReplaySubject } = bus.topology;
  await bus.manager.streams.purge(deadLettersStream, { filter: anyReplaySubject(replay) });
}

async function lastOn<T>(bus: Bus, subject: string): Promise<T | undefined> {
  const message = await directGet(bus, bus.topology.deadLettersStream, { last_by_subj: subject });
  return message && (JSON.parse(new TextDecoder().decode(message.data)) as T);
}
