/**
 * Brings work to runners. Sources that have work take turns, one invocation each (I6); an invocation is made only when a runner has a
 * credit for it, so that in realtime the newest window is sent and none grows old in a queue here.
 */

import type { Carrier, Work, WorkSource } from './work.ts';

export class Dispatcher {
  readonly #carriers = new Set<Carrier>();
  /** By definition: the sources that may have work, each once, in their turn. */
  readonly #turns = new Map<string, Set<WorkSource>>();
  readonly #carriedBy = new WeakMap<Work, Carrier>();

  addCarrier(carrier: Carrier): void {
    this.#carriers.add(carrier);
  }

  removeCarrier(carrier: Carrier): void {
    this.#carriers.delete(carrier);
  }

  /** The source may have work. */
  offer(source: WorkSource): void {
    const turns = this.#turns.get(source.definition);
    if (turns) turns.add(source);
    else this.#turns.set(source.definition, new Set([source]));
    this.pump(source.definition);
  }

  /** Forgets a source. */
  withdraw(source: WorkSource): void {
    const turns = this.#turns.get(source.definition);
    turns?.delete(source);
    if (turns?.size === 0) this.#turns.delete(source.definition);
  }

  /** Sends what can be sent of a definition. To be called when a runner has new credits. */
  pump(definition: string): void {
    const turns = this.#turns.get(definition);
    /** Those whose own runner has no room now. */
    const held = new Set<WorkSource>();
    while (turns && turns.size > held.size) {
      const freest = this.#freest(definition);
      if (freest === undefined) return;
      const [source] = turns;
      if (source === undefined) return;
      turns.delete(source);
      const carrier = this.#homeOf(source) ?? freest;
      if (held.has(source) || carrier.credits(definition) === 0) {
        held.add(source);
        turns.add(source);
        continue;
      }
      const work = source.take(carrier);
      if (work === undefined) continue;
      // Behind the others that wait for their turn.
      turns.add(source);
      this.#carriedBy.set(work, carrier);
      carrier.send(work);
    }
  }

  cancel(work: Work): void {
    this.#carriedBy.get(work)?.cancel(work);
  }

  /** Where the source's windows go for as long as that runner lives. */
  #homeOf({ home }: WorkSource): Carrier | undefined {
    return home && this.#carriers.has(home) && home.isOpen ? home : undefined;
  }

  /** The one with the most credits, so that a busy runner is spared; of several, the one that was not last. */
  #freest(definition: string): Carrier | undefined {
    let best: Carrier | undefined;
    let most = 0;
    for (const carrier of this.#carriers) {
      const credits = carrier.credits(definition);
      if (credits > most) {
        best = carrier;
        most = credits;
      }
    }
    if (best && this.#carriers.size > 1) {
      this.#carriers.delete(best);
      this.#carriers.add(best);
    }
    return best;
  }
}
