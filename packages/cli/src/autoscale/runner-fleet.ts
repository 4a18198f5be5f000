/** The runners that there are: pods that take their time to start, and what becomes of a load that they are given. */

/** How cameras play, all alike. */
export type Cameras = { readonly count: number; readonly perSecond: number; readonly costSeconds: number };

export type FleetState = {
  /** That there are to be. */
  readonly replicas: number;
  /** That take work. */
  readonly ready: number;
  /** Windows answered in a second. */
  readonly servedPerSecond: number;
  /** Part of the time that instances are busy. */
  readonly utilization: number;
  /** Of the newest result of a camera, when the next one comes; grows while there is no runner. */
  readonly stalenessSeconds: number;
  /** Windows that wait: in realtime never more than one of each camera, however short runners are. */
  readonly lag: number;
};

export const offeredLoad = ({ count, perSecond, costSeconds }: Cameras): number => count * perSecond * costSeconds;

/**
 * What a number of instances make of the cameras. A camera's newest window replaces the one that waits, and cameras take turns: when instances are
 * short each camera has its results so many times more rarely as there are too few.
 */
function served(
  cameras: Cameras,
  instances: number,
): Pick<FleetState, 'servedPerSecond' | 'utilization' | 'stalenessSeconds' | 'lag'> {
  const { count, perSecond, costSeconds } = cameras;
  const load = offeredLoad(cameras);
  if (load === 0) return { servedPerSecond: 0, utilization: 0, stalenessSeconds: 0, lag: 0 };
  const overload = instances === 0 ? Number.POSITIVE_INFINITY : Math.max(1, load / instances);
  return {
    servedPerSecond: (count * perSecond) / overload,
    utilization: instances === 0 ? 0 : Math.min(1, load / instances),
    stalenessSeconds: overload / perSecond + costSeconds,
    lag: overload > 1 ? count : 0,
  };
}

export type RunnerFleetOptions = {
  /** From the decision until it takes work. */
  readonly startupSeconds: number;
  /** Instances in a runner. */
  readonly capacity: number;
  readonly replicas: number;
};

export class RunnerFleet {
  readonly #options: RunnerFleetOptions;
  /** When each takes work, oldest first. */
  #readyAtSecond: number[];
  #stalenessSeconds = 0;

  constructor(options: RunnerFleetOptions) {
    this.#options = options;
    this.#readyAtSecond = Array<number>(options.replicas).fill(Number.NEGATIVE_INFINITY);
  }

  get replicas(): number {
    return this.#readyAtSecond.length;
  }

  /** The youngest go first. */
  scale(replicas: number, atSecond: number): void {
    const ready = this.#readyAtSecond.slice(0, replicas);
    while (ready.length < replicas) ready.push(atSecond + this.#options.startupSeconds);
    this.#readyAtSecond = ready;
  }

  /** To be called each second. */
  play(cameras: Cameras, atSecond: number): FleetState {
    const ready = this.#readyAtSecond.filter((second) => second <= atSecond).length;
    const now = served(cameras, ready * this.#options.capacity);
    const grown = offeredLoad(cameras) === 0 ? 0 : this.#stalenessSeconds + 1;
    this.#stalenessSeconds = Math.min(now.stalenessSeconds, grown);
    return { ...now, replicas: this.replicas, ready, stalenessSeconds: this.#stalenessSeconds };
  }
}
