/**
 * Brings work to runners. Sources that have work take turns, one invocation each (I6); an invocation is made only when a runner has a
 * credit for it, so that in realtime the newest window is sent and none grows old in a queue here. A source whose work was recalled
 * before it began has its turn still: else a fast camera, whose windows are always replaced, would wait longer than a slow one.
 *
 * What is to be sent alone gets a runner to itself: one is kept free of new work until it holds nothing, so that a busy system does not
 * put it off for ever.
 */

import type { Carrier, Work, WorkSource } from './work.ts';

export class Dispatcher {
  readonly #carriers = new Set<Carrier>();
  /** By definition: the sources that may have work, each once, in their turn. */
  readonly #turns = new Map<string, Set<WorkSource>>();
  /** Sources whose next invocation is to be sent alone, with the runner that is kept free for it. */
  readonly #alone = new Map<WorkSource, Carrier | undefined>();
  readonly #carriedBy = new WeakMap<Work, Carrier>();
  /** By definition: when each was last sent some, counted in what was sent of all. */
  readonly #lastSent = new Map<string, WeakMap<Carrier, number>>();
  #sent = 0;

  addCarrier(carrier: Carrier): void {
    this.#carriers.add(carrier);
  }

  removeCarrier(carrier: Carrier): void {
    this.#carriers.delete(carrier);
  }

  /** The source may have work. */
  offer(source: WorkSource): void {
    this.#turnsOf(source.definition).add(source);
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
    // What was kept free for it is anybody's again.
    if (this.#alone.delete(source)) for (const definition of this.#turns.keys()) this.pump(definition);
  }

  /** Sends what can be sent of a definition. To be called when a runner has new credits. */
  pump(definition: string): void {
    this.#pumpAlone();
    /** Those whose own runner has no room now. */
    const held = new Set<WorkSource>();
    for (
      let turns = this.#turns.get(definition);
      turns && turns.size > held.size;
      turns = this.#turns.get(definition)
    ) {
      const [source] = turns;
      if (source === undefined) return;
      if (source.wantsAlone) {
        turns.delete(source);
        // One that waits already keeps its runner.
        if (!this.#alone.has(source)) this.#alone.set(source, undefined);
        this.#pumpAlone();
        continue;
      }
      const home = this.#homeOf(source);
      if (home && (held.has(source) || this.#isKept(home) || home.credits(definition) < 1)) {
        held.add(source);
        turns.delete(source);
        turns.add(source);
        continue;
      }
      const carrier = home ?? this.#freest(definition);
      if (carrier === undefined) return;
      turns.delete(source);
      this.#send(source, carrier);
    }
  }

  cancel(work: Work): void {
    this.#carriedBy.get(work)?.cancel(work);
  }

  recall(work: Work): void {
    this.#carriedBy.get(work)?.recall(work);
  }

  #turnsOf(definition: string): Set<WorkSource> {
    const turns = this.#turns.get(definition) ?? new Set();
    this.#turns.set(definition, turns);
    return turns;
  }

  #send(source: WorkSource, carrier: Carrier): void {
    const work = source.take(carrier);
    if (work === undefined) return;
    // Behind the others that wait for their turn.
    this.#turnsOf(source.definition).add(source);
    this.#carriedBy.set(work, carrier);
    this.#sent += 1;
    this.#lastSentOf(source.definition).set(carrier, this.#sent);
    carrier.send(work);
  }

  #pumpAlone(): void {
    for (const [source, kept] of this.#alone) {
      if (!source.wantsAlone) {
        this.#alone.delete(source);
        this.#turnsOf(source.definition).add(source);
        continue;
      }
      const { definition } = source;
      const carrier =
        this.#homeOf(source) ?? (kept && this.#takes(kept, definition) ? kept : this.#leastBusy(definition));
      this.#alone.set(source, carrier);
      if (carrier === undefined || carrier.holds > 0 || carrier.credits(definition) < 1) continue;
      this.#alone.delete(source);
      this.#send(source, carrier);
    }
  }

  /** Where the source's windows go for as long as that runner lives. */
  #homeOf({ home }: WorkSource): Carrier | undefined {
    return home && this.#carriers.has(home) && home.isOpen ? home : undefined;
  }

  #takes(carrier: Carrier, definition: string): boolean {
    return this.#carriers.has(carrier) && carrier.serves(definition);
  }

  #isKept(carrier: Carrier): boolean {
    return this.#alone.size > 0 && [...this.#alone.values()].includes(carrier);
  }

  /** The one that holds the least; what is to be sent alone has to wait for it. */
  #leastBusy(definition: string): Carrier | undefined {
    return this.#best(definition, (carrier) => (carrier.serves(definition) ? -carrier.holds : undefined));
  }

  /** The one with the most credits, so that a busy runner is spared. */
  #freest(definition: string): Carrier | undefined {
    return this.#best(definition, (carrier) => carrier.credits(definition) || undefined);
  }

  /**
   * The one that is worth the most; of several, the one whose last work of this definition is the longest ago, whatever it had of others:
   * where those come in a steady beat, their turns would decide over this one's.
   * @param worth undefined where it is out of the question, as is one that is kept for other work.
   */
  #best(definition: string, worth: (carrier: Carrier) => number | undefined): Carrier | undefined {
    const lastSent = this.#lastSentOf(definition);
    let best: Carrier | undefined;
    let most = 0;
    for (const carrier of this.#carriers) {
      const here = worth(carrier);
      if (here === undefined || this.#isKept(carrier)) continue;
      const isBetter =
        best === undefined ||
        here > most ||
        (here === most && (lastSent.get(carrier) ?? 0) < (lastSent.get(best) ?? 0));
      if (!isBetter) continue;
      best = carrier;
      most = here;
    }
    return best;
  }

  #lastSentOf(definition: string): WeakMap<Carrier, number> {
    const lastSent = this.#lastSent.get(definition) ?? new WeakMap();
    this.#lastSent.set(definition, lastSent);
    return lastSent;
  }
}
