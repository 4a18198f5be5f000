/** All that an installation keeps on the bus, whether any of its services is still there, and its removal. */

import { setTimeout } from 'node:timers/promises';
import type { Bucket } from './bucket.ts';
import type { Bus } from './bus.ts';
import { busErrorKind } from './bus-error.ts';
import { openMembers, openRunners } from './registry.ts';
import { bucketStream } from './topology.ts';

export type KeptStream = {
  /** JetStream name. */
  readonly name: string;
  readonly messages: number;
  readonly bytes: number;
};

/** The installation's streams and buckets, by name; of no other installation on the server. */
export async function keptStreams(bus: Bus): Promise<readonly KeptStream[]> {
  const kept: KeptStream[] = [];
  for await (const { config, state } of bus.manager.streams.list())
    if (bus.topology.owns(config.name, config.subjects ?? []))
      kept.push({ name: config.name, messages: state.messages, bytes: state.bytes });
  return kept.sort((a, b) => a.name.localeCompare(b.name));
}

/** Removes them with all that they hold; one that is gone already is no fault. */
export async function removeStreams(bus: Bus, names: readonly string[]): Promise<void> {
  for (const name of names)
    await bus.manager.streams.delete(name).catch((error: unknown) => {
      if (busErrorKind(error) !== 'stream-missing') throw error;
    });
}

const LOOK_MS = 250;
/** Longer than whoever runs is silent: members and runners beat each second, and a collector always asks for results. */
const QUIET_MS = 3_500;

/**
 * Resolves with undefined once none of the services has been heard for a while, or after the limit with those that were heard last, such as
 * `ingest.site-ingest-0`.
 */
export async function servicesGone(bus: Bus, limitMs: number): Promise<readonly string[] | undefined> {
  const names = (await keptStreams(bus)).map(({ name }) => name);
  // Whoever runs has made some.
  if (names.length === 0) return undefined;
  const startedAtMs = performance.now();
  const hearing = await Hearing.of(bus, new Set(names));
  let quietFromMs = startedAtMs;
  let last: readonly string[] = [];
  for (;;) {
    const heard = await hearing.look();
    const nowMs = performance.now();
    if (heard.length > 0) [quietFromMs, last] = [nowMs, heard];
    if (nowMs - quietFromMs >= QUIET_MS) return undefined;
    if (last.length > 0 && nowMs - startedAtMs >= limitMs) return last;
    await setTimeout(LOOK_MS);
  }
}

type Beating = { readonly role: string; readonly bucket: Bucket<unknown> };

/** Who has beaten, or asked for results, since the look before. */
class Hearing {
  readonly #bus: Bus;
  readonly #beating: readonly Beating[];
  readonly #revisions = new Map<string, number>();
  #looks = 0;

  private constructor(bus: Bus, beating: readonly Beating[]) {
    this.#bus = bus;
    this.#beating = beating;
  }

  /** @param names of the streams that are there. */
  static async of(bus: Bus, names: ReadonlySet<string>): Promise<Hearing> {
    const { members, runners } = bus.topology.buckets;
    const beating: Beating[] = [];
    // Opened, a bucket that is not there would be made.
    if (names.has(bucketStream(members))) beating.push({ role: '', bucket: await openMembers(bus) });
    if (names.has(bucketStream(runners))) beating.push({ role: 'algo-runner.', bucket: await openRunners(bus) });
    return new Hearing(bus, beating);
  }

  async look(): Promise<readonly string[]> {
    const heard = await this.#collectors();
    for (const { role, bucket } of this.#beating)
      for (const { key, revision } of await bucket.entries()) {
        const name = `${role}${key}`;
        if (this.#looks > 0 && this.#revisions.get(name) !== revision) heard.push(name);
        this.#revisions.set(name, revision);
      }
    this.#looks += 1;
    return heard.sort();
  }

  /** One stores and asks for more all the time, the others listen. */
  async #collectors(): Promise<string[]> {
    try {
      for await (const consumer of this.#bus.manager.consumers.list(this.#bus.topology.resultsStream))
        if (consumer.num_waiting > 0 || consumer.push_bound === true) return ['collector'];
    } catch (error) {
      if (busErrorKind(error) !== 'stream-missing') throw error;
    }
    return [];
  }
}
