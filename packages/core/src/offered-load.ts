/**
 * Offered load: how many instances of an algorithm the work that is due would keep busy, whether there are as many or not (D10). What was
 * served says nothing of what was asked, and in realtime no queue does, since the newest window replaces what waits.
 *
 * - realtime: windows due in a second × seconds that a window costs in a batch as it is achieved.
 * - offline: a stream waits for its results, so that its rate is what runners give it. What it can use at once is what is open, up to
 *   maxInFlight: all of it while runners are short, and where decoding is the slower, what is due × what it takes (Little's law).
 */

import { DueRate } from './due-rate.ts';
import { InvocationCost, type KeptCost, type RanBatch } from './invocation-cost.ts';
import type { Mode } from './stream-spec.ts';

/** One algorithm on one stream. */
export type LoadLane = {
  readonly definition: string;
  readonly mode: Mode;
  /** Windows in a second, as scheduled. */
  readonly perSecond: number;
  readonly maxInFlight: number;
  /** Windows that became due so far, whether or not what they come after has its result. */
  due(): number;
  /** Windows that could be run now: due, and not answered. */
  open(): number;
};

export type AlgorithmLoad = {
  /** Instances kept busy. */
  readonly load: Readonly<Record<Mode, number>>;
  /** In realtime. */
  readonly duePerSecond: number;
  readonly costSeconds: number;
  /** Whether runners reported the cost, now or in a life before; else it is the configuration's. */
  readonly costBasis: 'measured' | 'expected';
};

type Followed = { readonly lane: LoadLane; readonly dueBefore: number; readonly rate: DueRate; usable: number };

/** Of what an offline stream can use at once, in seconds. */
const USABLE_MEMORY_SECONDS = 10;

export class OfferedLoad {
  readonly #expectedMs: (definition: string) => number;
  readonly #lanes = new Set<Followed>();
  readonly #costs = new Map<string, InvocationCost>();
  #sampledAtMs: number;

  /** @param expectedMs what a window costs before there is a measured cost. */
  constructor({ expectedMs, nowMs }: { expectedMs: (definition: string) => number; nowMs: number }) {
    this.#expectedMs = expectedMs;
    this.#sampledAtMs = nowMs;
  }

  /** Definitions that have streams here. */
  get definitions(): readonly string[] {
    return [...new Set([...this.#lanes].map(({ lane }) => lane.definition))];
  }

  /** Definitions of which runners have told a cost. */
  get priced(): readonly string[] {
    return [...this.#costs.keys()];
  }

  /** Counts the lane from now on, until what is returned is called. */
  follow(lane: LoadLane, nowMs: number): () => void {
    const { perSecond } = lane;
    const followed: Followed = { lane, dueBefore: lane.due(), rate: new DueRate({ perSecond, nowMs }), usable: 0 };
    this.#lanes.add(followed);
    return () => void this.#lanes.delete(followed);
  }

  /** To be called about once a second. */
  sample(nowMs: number): void {
    const part = 1 - Math.exp(-(nowMs - this.#sampledAtMs) / 1_000 / USABLE_MEMORY_SECONDS);
    this.#sampledAtMs = nowMs;
    for (const followed of this.#lanes) {
      const { lane, dueBefore, rate } = followed;
      rate.sample(lane.due() - dueBefore, nowMs);
      followed.usable += part * (Math.min(lane.open(), lane.maxInFlight) - followed.usable);
    }
  }

  /** A window was run, in this batch. */
  ran(definition: string, batch: RanBatch): void {
    this.#costOf(definition).observe(batch);
  }

  of(definition: string): AlgorithmLoad {
    const lanes = [...this.#lanes].filter(({ lane }) => lane.definition === definition);
    const atOnce = lanes.reduce((sum, { lane }) => sum + lane.maxInFlight, 0);
    const price = this.#costs.get(definition)?.price(atOnce);
    const costSeconds = (price?.msPerWindow ?? this.#expectedMs(definition)) / 1_000;
    const sum = (mode: Mode, value: (followed: Followed) => number): number =>
      lanes.filter(({ lane }) => lane.mode === mode).reduce((total, one) => total + value(one), 0);
    const duePerSecond = sum('realtime', ({ rate }) => rate.perSecond);
    return {
      load: {
        realtime: duePerSecond * costSeconds,
        offline: sum('offline', ({ usable }) => usable) / (price?.batch ?? 1),
      },
      duePerSecond,
      costSeconds,
      costBasis: price ? 'measured' : 'expected',
    };
  }

  /** What is to outlive this process, where runners have reported it. */
  kept(definition: string): KeptCost | undefined {
    return this.#costs.get(definition)?.kept;
  }

  adopt(definition: string, kept: KeptCost): void {
    this.#costOf(definition).adopt(kept);
  }

  #costOf(definition: string): InvocationCost {
    const cost = this.#costs.get(definition) ?? new InvocationCost();
    this.#costs.set(definition, cost);
    return cost;
  }
}
