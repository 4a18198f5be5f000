/**
 * A list of streams made true: what is missing is added, what differs is changed, and what the same owner had applied before and is not
 * on the list any more is removed. All others are left alone, and so is what would not differ: it plays on. One that is refused holds up none
 * of the others; but while any is, nothing is removed: what is refused may be what takes the other's place.
 */

import { Fault, type FaultCode, toFault } from '@stream-infer/core/fault';
import type { StreamDefinitionInput } from '@stream-infer/core/stream-definition';
import type { StreamReport } from '@stream-infer/core/stream-report';
import { faultOfStream } from '../run/logged-fault.ts';
import { isRegistered } from './stream-text.ts';
import type { StreamsClient } from './streams-client.ts';
import { passes } from './until-ready.ts';

/** Ids, in the order in which they were written. */
export type Written = Readonly<Record<'added' | 'changed' | 'unchanged' | 'removed', readonly string[]>>;

/** What to do about a stream of another owner, who is null where it was added alone. */
export type ApplyAdvice = (id: string, owner: string | null) => string;

export type DesiredStreamsOptions = { readonly owner: string; readonly advice: ApplyAdvice };

/** Faults of the API as a whole: the next stream would meet them too. */
const OF_THE_API: readonly FaultCode[] = ['API_UNREACHABLE', 'API_FAILED', 'API_UNAUTHORIZED', 'INTERNAL'];

export class DesiredStreams {
  readonly #client: Pick<StreamsClient, 'list' | 'put' | 'remove'>;
  readonly #definitions: readonly StreamDefinitionInput[];
  readonly #options: DesiredStreamsOptions;
  readonly #written = {
    added: [] as string[],
    changed: [] as string[],
    unchanged: [] as string[],
    removed: [] as string[],
  };
  readonly #settled = new Set<string>();
  readonly #refused = new Map<string, Fault>();

  constructor(
    client: Pick<StreamsClient, 'list' | 'put' | 'remove'>,
    definitions: readonly StreamDefinitionInput[],
    options: DesiredStreamsOptions,
  ) {
    this.#client = client;
    this.#definitions = definitions;
    this.#options = options;
  }

  /** By all tries so far. */
  get written(): Written {
    return this.#written;
  }

  /** By id, each with a message that names it. */
  get refused(): ReadonlyMap<string, Fault> {
    return this.#refused;
  }

  /** All that stands in the way, each once. @param ended what the last try ended with, where it was a fault. */
  faults(ended: Fault | undefined): readonly Fault[] {
    return [...new Set([...this.#refused.values(), ...(ended ? [ended] : [])])];
  }

  /**
   * One try; the next goes on with what is not settled. Throws STREAM_EXISTS, before anything is written, where a stream is another owner's; what the API
   * cannot do as a whole; and, behind all that it can, a refusal that passes by itself.
   */
  async apply(): Promise<void> {
    const standing = new Map((await this.#client.list()).filter(isRegistered).map((stream) => [stream.id, stream]));
    for (const { id } of this.#definitions) this.#refuseForeign(standing.get(id));
    for (const definition of this.#definitions)
      if (!this.#settled.has(definition.id)) await this.#put(definition, standing.get(definition.id)?.revision);
    const passing = [...this.#refused.values()].find(passes);
    if (passing) throw passing;
    if (this.#refused.size === 0) await this.#removeOthers(standing);
  }

  async #put(definition: StreamDefinitionInput, standing: number | null | undefined): Promise<void> {
    const { id } = definition;
    const before = standing ?? undefined;
    try {
      const { owner } = this.#options;
      const { revision } = await this.#client.put(definition, { owner, revision: before, ifChanged: true });
      this.#written[before === undefined ? 'added' : before === revision ? 'unchanged' : 'changed'].push(id);
      this.#refused.delete(id);
      this.#settled.add(id);
    } catch (error) {
      const fault = toFault(error);
      if (OF_THE_API.includes(fault.code)) throw fault;
      this.#refused.set(id, faultOfStream(fault, id));
      if (!passes(fault)) this.#settled.add(id);
    }
  }

  async #removeOthers(standing: ReadonlyMap<string, StreamReport>): Promise<void> {
    const listed = new Set(this.#definitions.map(({ id }) => id));
    for (const { id, owner, revision } of standing.values()) {
      if (owner !== this.#options.owner || listed.has(id)) continue;
      await this.#client.remove(id, revision ?? undefined);
      this.#written.removed.push(id);
    }
  }

  #refuseForeign(standing: StreamReport | undefined): void {
    const { owner, advice } = this.#options;
    if (standing === undefined || standing.owner === owner) return;
    const { id, owner: other } = standing;
    const whose = other === null ? 'added alone' : `applied by ${other}`;
    throw new Fault('STREAM_EXISTS', `stream ${id} was ${whose}, not by ${owner}: ${advice(id, other)}`);
  }
}
