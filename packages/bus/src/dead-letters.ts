/**
 * The stream of dead letters: file-backed, bounded, the oldest gives way. A publisher names the sequence of the last letter of the subject,
 * so that each stands there once though the scheduler that wrote it was succeeded. A letter is called by its sequence.
 */

import type { DeadLetter } from '@stream-infer/core/dead-letter';
import { Fault } from '@stream-infer/core/fault';
import { DiscardPolicy, RetentionPolicy, StorageType } from 'nats';
import type { Bus } from './bus.ts';
import { busErrorKind } from './bus-error.ts';
import { directGet } from './direct-get.ts';
import { madeOnce } from './made-once.ts';

export type StoredLetter = { readonly id: number; readonly letter: DeadLetter };

/** Makes DEAD_LETTERS where it is not there yet; idempotent. Throws BUS_FAILED where the server has not that much disk left. */
export async function ensureDeadLetterStream(bus: Bus, { maxBytes }: { readonly maxBytes: number }): Promise<void> {
  const { deadLettersStream: name, deadLettersStreamSubjects } = bus.topology;
  const config = {
    name,
    subjects: [...deadLettersStreamSubjects],
    storage: StorageType.File,
    num_replicas: bus.replicas,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_bytes: maxBytes,
    allow_direct: true,
  };
  try {
    await madeOnce(name, () => bus.manager.streams.add(config));
  } catch (error) {
    // One with another limit stays as it is.
    await bus.manager.streams.info(name).catch(() => {
      if (busErrorKind(error) !== 'no-room') throw error;
      const mib = (maxBytes / 2 ** 20).toFixed(0);
      throw new Fault(
        'BUS_FAILED',
        `the stream of dead letters needs ${mib} MiB of the bus's disk, more than is left: set deadLettersMaxBytes lower, or give nats-server a larger max_file_store`,
        { cause: error },
      );
    });
  }
}

type Place = Pick<DeadLetter, 'stream' | 'run' | 'algorithm'>;

/** The last letter of a stream's run and algorithm: its sequence and its n, both 0 where there is none. */
export async function lastDeadLetter(bus: Bus, place: Place): Promise<{ sequence: number; n: number }> {
  const { deadLettersStream, deadLetterSubject } = bus.topology;
  const subject = deadLetterSubject(place.stream, place.run, place.algorithm);
  const message = await directGet(bus, deadLettersStream, { last_by_subj: subject });
  if (message === undefined) return { sequence: 0, n: 0 };
  return { sequence: message.sequence, n: letterOf(message.data)?.n ?? 0 };
}

/** Publishes a letter after the one with sequence `after` of its subject, 0 for the first. Rejects with the client's error. */
export async function publishDeadLetter(bus: Bus, letter: DeadLetter, after: number): Promise<number> {
  const subject = bus.topology.deadLetterSubject(letter.stream, letter.run, letter.algorithm);
  const bytes = new TextEncoder().encode(JSON.stringify(letter));
  return (await bus.jetstream.publish(subject, bytes, { expect: { lastSubjectSequence: after } })).seq;
}

/** Undefined where there is no such letter. */
export async function deadLetter(bus: Bus, id: number): Promise<StoredLetter | undefined> {
  return storedLetter(await directGet(bus, bus.topology.deadLettersStream, { seq: id }));
}

/** Removes a letter; one that is gone is no fault. */
export async function deleteDeadLetter(bus: Bus, id: number): Promise<void> {
  await bus.manager.streams.deleteMessage(bus.topology.deadLettersStream, id).catch(async (error: unknown) => {
    if ((await deadLetter(bus, id)) !== undefined) throw error;
  });
}

/** The newest `most` letters, oldest first. None where there is no stream of them. */
export async function* deadLetters(bus: Bus, most: number): AsyncGenerator<StoredLetter, void, void> {
  const { deadLettersStream, anyDeadLetterSubject } = bus.topology;
  const info = await bus.manager.streams.info(deadLettersStream).catch((error: unknown) => {
    if (busErrorKind(error) !== 'stream-missing') throw error;
  });
  if (info === undefined) return;
  let next = Math.max(info.state.first_seq, info.state.last_seq - most + 1, 1);
  while (next <= info.state.last_seq) {
    const message = await directGet(bus, deadLettersStream, { seq: next, next_by_subj: anyDeadLetterSubject });
    if (message === undefined) return;
    const stored = storedLetter(message);
    if (stored) yield stored;
    next = message.sequence + 1;
  }
}

function storedLetter(
  message: { readonly sequence: number; readonly data: Uint8Array } | undefined,
): StoredLetter | undefined {
  const letter = message && letterOf(message.data);
  return letter && { id: message.sequence, letter };
}

/** Undefined for what is no letter: anybody may publish here. */
function letterOf(bytes: Uint8Array): DeadLetter | undefined {
  try {
    const value = JSON.parse(new TextDecoder().decode(bytes)) as Partial<DeadLetter> | null;
    return typeof value?.n === 'number' && value.error !== undefined ? (value as DeadLetter) : undefined;
  } catch {
    return undefined;
  }
}
