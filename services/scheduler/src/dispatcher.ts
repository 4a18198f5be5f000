/**
 * Brings work to runners. Sources that have work take turns, one invocation each (I6); an invocation is made only when a runner has a
 * credit for it, so that in realtime the newest window is sent and none grows old in a queue here. A source whose work was recalled
 * before it began has its turn still: else a fast camera, whose windows are always replaced, would wait longer than a slow one.
 */

import type { Work, WorkSource } from './work.ts';

/** A runner, as it is needed here. */
export type Carrier = {
  /** What it may be sent of a definition now. */
  credits(definition: string): number;
  /** Uses one credit. */
  send(work: Work): void;
  /** The work is no longer wanted; its outcome is not told any more. */
  cancel(work: Work): void;
  /** Something newer is to take the work's place: it comes back as not started, unless it has started. */
  recall(work: Work): void;
};

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

  /** The source may have work in place of some that came back: it is its turn. */
  offerFirst(source: WorkSource): void {
    const others = this.#turns.get(source.definition) ?? [];
    this.#turns.set(source.definition, new Set([source, ...others]));
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
    for (let turns = this.#turns.get(definition); turns?.size; turns = this.#turns.get(definition)) {
      const carrier = this.#freest(definition);
      if (carrier === undefined) return;
      const [source] = turns;
      if (source === undefined) return;
      turns.delete(source);
      const work = source.take();
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

  recall(work: Work): void {
    this.#carriedBy.get(work)?.recall(work);
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
