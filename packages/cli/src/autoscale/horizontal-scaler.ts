/**
 * What Kubernetes' HorizontalPodAutoscaler decides (autoscaling/v2), as it is published: the ratio with its tolerance, the stabilisation windows,
 * the policies that bound a change, the limits. For one external metric with an average value; all of it pure, told the time.
 */

export type ScalingPolicy = {
  readonly type: 'Percent' | 'Pods';
  readonly value: number;
  readonly periodSeconds: number;
};

export type ScalingRules = {
  readonly stabilizationWindowSeconds: number;
  /** Of several the one that allows the most counts. */
  readonly policies: readonly ScalingPolicy[];
};

export type HorizontalScalerOptions = {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  /** The metric that a replica is to have. */
  readonly averageValue: number;
  /** A ratio so close to 1 changes nothing. */
  readonly tolerance: number;
  readonly scaleUp: ScalingRules;
  readonly scaleDown: ScalingRules;
};

/** Those that apply where nothing is configured. */
export const DEFAULT_RULES = {
  tolerance: 0.1,
  scaleUp: {
    stabilizationWindowSeconds: 0,
    policies: [
      { type: 'Percent', value: 100, periodSeconds: 15 },
      { type: 'Pods', value: 4, periodSeconds: 15 },
    ],
  },
  scaleDown: {
    stabilizationWindowSeconds: 300,
    policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
  },
} as const satisfies Pick<HorizontalScalerOptions, 'tolerance' | 'scaleUp' | 'scaleDown'>;

type Timed = { readonly atSecond: number; readonly replicas: number };

export class HorizontalScaler {
  readonly #options: HorizontalScalerOptions;
  #recommendations: Timed[] = [];
  /** What was added, or with a minus removed. */
  #changes: Timed[] = [];

  constructor(options: HorizontalScalerOptions) {
    this.#options = options;
  }

  /** How many replicas there are to be. @param metric over all replicas; undefined where it cannot be had: then nothing changes. */
  decide(replicas: number, metric: number | undefined, atSecond: number): number {
    if (metric === undefined || replicas === 0) return replicas;
    const stable = this.#stabilized(replicas, this.#recommended(replicas, metric), atSecond);
    const decided = this.#bounded(replicas, stable, atSecond);
    if (decided !== replicas) this.#changes.push({ atSecond, replicas: decided - replicas });
    return decided;
  }

  #recommended(replicas: number, metric: number): number {
    const { averageValue, tolerance } = this.#options;
    const ratio = metric / (averageValue * replicas);
    return Math.abs(ratio - 1) <= tolerance ? replicas : Math.ceil(metric / averageValue);
  }

  /** The lowest of the last recommendations where it is more than there are, the highest where it is less. */
  #stabilized(replicas: number, recommended: number, atSecond: number): number {
    const { scaleUp, scaleDown } = this.#options;
    const since = (seconds: number): number[] => [
      recommended,
      ...this.#recommendations.filter((one) => one.atSecond > atSecond - seconds).map((one) => one.replicas),
    ];
    const up = Math.min(...since(scaleUp.stabilizationWindowSeconds));
    const down = Math.max(...since(scaleDown.stabilizationWindowSeconds));
    this.#recommendations.push({ atSecond, replicas: recommended });
    const longest = Math.max(scaleUp.stabilizationWindowSeconds, scaleDown.stabilizationWindowSeconds);
    this.#recommendations = this.#recommendations.filter((one) => one.atSecond > atSecond - longest);
    return Math.min(Math.max(replicas, up), down);
  }

  #bounded(replicas: number, wanted: number, atSecond: number): number {
    const { minReplicas, maxReplicas, scaleUp, scaleDown } = this.#options;
    const within = (count: number): number => Math.min(maxReplicas, Math.max(minReplicas, count));
    if (wanted > replicas) return within(Math.min(wanted, this.#limit(scaleUp, 1, replicas, atSecond)));
    if (wanted < replicas) return within(Math.max(wanted, this.#limit(scaleDown, -1, replicas, atSecond)));
    return within(wanted);
  }

  /** As many, or as few, as the policies allow by now. */
  #limit({ policies }: ScalingRules, direction: 1 | -1, replicas: number, atSecond: number): number {
    const limits = policies.map(({ type, value, periodSeconds }) => {
      const changed = this.#changes
        .filter((one) => one.atSecond > atSecond - periodSeconds && Math.sign(one.replicas) === direction)
        .reduce((sum, one) => sum + one.replicas, 0);
      const before = replicas - changed;
      if (type === 'Pods') return before + direction * value;
      return direction > 0 ? Math.ceil(before * (1 + value / 100)) : Math.floor(before * (1 - value / 100));
    });
    return direction > 0 ? Math.max(...limits) : Math.min(...limits);
  }
}
