/**
 * What one window of an algorithm costs: milliseconds of an instance, learnt from the batches that runners report.
 *
 * The fuller a batch, the cheaper its windows; and the more runners there are, the emptier their batches. Priced by what batches just hold,
 * every runner more would raise the price and ask for the next one. So the price is what windows cost in the fullest batches that
 * were achieved, as long as there are enough of them to fill such a batch: what a runner can do, not what it happens to be doing.
 */

/** A batch, as the runner that ran it reports with each of its windows. */
export type RanBatch = { readonly version: string; readonly windows: number; readonly runMs: number };

export type Price = { readonly msPerWindow: number /** Windows in a batch at that price. */; readonly batch: number };

/** What is known of the batches of a class of sizes: those above half of `upTo`, up to it. */
export type SizeCost = {
  readonly upTo: number;
  /** That were seen, up to MEMORY_BATCHES; what is older counts for less and less. */
  readonly batches: number;
  readonly windows: number;
  readonly msPerWindow: number;
};

/** As it is kept while no runner runs. */
export type KeptCost = { readonly version: string; readonly sizes: readonly SizeCost[] };

const MEMORY_BATCHES = 64;
/** A model's first batches are slow, and one batch is no price. */
const LEARNT_BATCHES = 8;

type Learning = { readonly version: string; readonly sizes: Map<number, SizeCost> };

export class InvocationCost {
  #current: Learning | undefined;
  /** A version that comes beside the current one, and by how many batches it is ahead of it. */
  #other: { readonly learning: Learning; lead: number } | undefined;
  /** The class of the newest batch. */
  #recent = 1;

  /** To be told of each window of the batch: of a batch that is split over several schedulers each learns its part. */
  observe({ version, windows, runMs }: RanBatch): void {
    if (!(runMs > 0) || !(windows >= 1)) return;
    const share = 1 / windows;
    this.#current ??= { version, sizes: new Map() };
    const learning = this.#learningOf(version, share);
    this.#recent = sizeClass(windows);
    learn(learning.sizes, { windows, msPerWindow: runMs / windows }, share);
    const other = this.#other;
    if (other && other.lead >= LEARNT_BATCHES && isLearnt(other.learning)) {
      this.#current = other.learning;
      this.#other = undefined;
    }
  }

  /** @param atOnce how many windows there can be at once. Undefined before there is one. */
  price(atOnce: number): Price | undefined {
    const learnt = [...(this.#current?.sizes.values() ?? [])].filter(({ batches }) => batches >= LEARNT_BATCHES);
    const smallest = Math.min(...learnt.map(({ upTo }) => upTo));
    const fillable = learnt.filter(({ upTo }) => upTo === smallest || upTo / 2 < atOnce);
    // What is known of smaller batches than are run now is older, and no runner would choose them.
    const largest = Math.max(...fillable.map(({ upTo }) => upTo));
    const worthwhile = fillable.filter(({ upTo }) => upTo >= Math.min(this.#recent, largest));
    const [cheapest] = worthwhile.sort((a, b) => a.msPerWindow - b.msPerWindow);
    return cheapest && { msPerWindow: cheapest.msPerWindow, batch: cheapest.windows };
  }

  get kept(): KeptCost | undefined {
    const current = this.#current;
    return current && isLearnt(current) ? { version: current.version, sizes: [...current.sizes.values()] } : undefined;
  }

  /** Takes what another scheduler, or a life before, has learnt, where that is more than is known here. */
  adopt({ version, sizes }: KeptCost): void {
    if (this.#current && this.#current.version !== version && isLearnt(this.#current)) return;
    if (this.#current?.version !== version) this.#current = { version, sizes: new Map() };
    for (const size of sizes)
      if (size.batches > (this.#current.sizes.get(size.upTo)?.batches ?? 0)) this.#current.sizes.set(size.upTo, size);
  }

  #learningOf(version: string, share: number): Learning {
    const current = this.#current;
    if (current?.version === version) {
      if (this.#other) this.#other.lead = Math.max(0, this.#other.lead - share);
      return current;
    }
    if (this.#other?.learning.version !== version) this.#other = { learning: { version, sizes: new Map() }, lead: 0 };
    this.#other.lead += share;
    return this.#other.learning;
  }
}

/** 1, 2, 4, 8, …: the power of two that the size does not exceed. */
const sizeClass = (windows: number): number => 2 ** Math.ceil(Math.log2(windows));

const isLearnt = ({ sizes }: Learning): boolean => [...sizes.values()].some(({ batches }) => batches >= LEARNT_BATCHES);

function learn(sizes: Map<number, SizeCost>, seen: Pick<SizeCost, 'windows' | 'msPerWindow'>, share: number): void {
  const upTo = sizeClass(seen.windows);
  const known = sizes.get(upTo) ?? { upTo, batches: 0, ...seen };
  const batches = Math.min(MEMORY_BATCHES, known.batches + share);
  const part = share / batches;
  sizes.set(upTo, {
    upTo,
    batches,
    windows: known.windows + part * (seen.windows - known.windows),
    msPerWindow: known.msPerWindow + part * (seen.msPerWindow - known.msPerWindow),
  });
}
