/**
 * What one service knows of the frames, or of the invocations of one algorithm, of one stream, over all its runs here: how many there were,
 * what became of them, and what is still open. `unaccounted` is computed of figures that are counted apart, so that it can differ from
 * 0: what is open is asked of those who hold it, not concluded (I1).
 */

import type { Fated } from './fate.ts';

/** Somebody who holds what is open. */
export type Holder = {
  /** Books what happened since the last time, where it is not booked as it happens. */
  update?(): void;
  readonly open: number;
};

/** As /debug/ledger tells it. */
export type BookJson = {
  /** Frames or invocations that there were. */
  readonly entered: number;
  /** Of these, given to the next service, which accounts for them. */
  readonly handedOver?: number;
  /** Of a predecessor that died, not among those entered. */
  readonly takenOver?: number;
  readonly open: number;
  readonly unaccounted: number;
  /** By fate: how many, or by reason how many. */
  readonly fates: Readonly<Record<string, Readonly<Record<string, number>> | number>>;
};

export class LedgerBook<F extends string> {
  readonly #holders = new Set<Holder>();
  readonly #fates = new Map<string, Fated<F> & { count: number }>();
  #entered = 0;
  #handedOver = 0;
  #takenOver = 0;
  #settled = 0;

  enter(count: number): void {
    this.#entered += count;
  }

  handOver(count: number): void {
    this.#handedOver += count;
  }

  /** A predecessor that died had these open: it has counted that they entered, and this service tells what became of them. */
  takeOver(count: number): void {
    this.#takenOver += count;
  }

  settle({ fate, reason }: Fated<F>, count = 1): void {
    if (count === 0) return;
    const key = `${fate}/${reason}`;
    const known = this.#fates.get(key) ?? { fate, reason, count: 0 };
    known.count += count;
    this.#fates.set(key, known);
    this.#settled += count;
  }

  /** Asks the holder from now on, until the returned function is called, which books its last. */
  follow(holder: Holder): () => void {
    this.#holders.add(holder);
    return () => {
      if (this.#holders.has(holder)) holder.update?.();
      this.#holders.delete(holder);
    };
  }

  /** Books what happened since the last time: to be called before the figures are read. */
  update(): void {
    for (const holder of this.#holders) holder.update?.();
  }

  get entered(): number {
    return this.#entered;
  }

  get handedOver(): number {
    return this.#handedOver;
  }

  /** What has come of anything: a fate, or another service's. */
  get done(): number {
    return this.#settled + this.#handedOver;
  }

  get open(): number {
    return [...this.#holders].reduce((sum, holder) => sum + holder.open, 0);
  }

  /** 0, unless something was lost without a trace, or counted twice. */
  get unaccounted(): number {
    return this.#entered + this.#takenOver - this.#handedOver - this.#settled - this.open;
  }

  get fates(): readonly (Fated<F> & { readonly count: number })[] {
    return [...this.#fates.values()];
  }

  toJSON(): BookJson {
    const fates: Record<string, Record<string, number> | number> = {};
    for (const { fate, reason, count } of this.fates)
      fates[fate] = reason === '' ? count : { ...(fates[fate] as Record<string, number> | undefined), [reason]: count };
    return {
      entered: this.#entered,
      ...(this.#handedOver > 0 && { handedOver: this.#handedOver }),
      ...(this.#takenOver > 0 && { takenOver: this.#takenOver }),
      open: this.open,
      unaccounted: this.unaccounted,
      fates,
    };
  }
}
