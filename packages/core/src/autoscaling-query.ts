/**
 * What the autoscaler of an algorithm's runners asks Prometheus: the load of all streams in percent of one runner. Divided by the target
 * in percent it is the number of runners. In percent, and not as a fraction, because KEDA cuts the target to a whole number where it falls back.
 *
 * Offline work has nobody who waits for the next frame, so that its runners may be busy all the time: it counts times the target.
 */

export type AutoscalingQueryOptions = {
  readonly algorithm: string;
  /** From above 0 to 1. */
  readonly targetUtilization: number;
  /** Whether offline streams ask for runners too. */
  readonly offline: boolean;
  /** Whose load it is, where Prometheus knows several; `prefix` is that of NATS. Series without a prefix, of who scrapes without one, count too. */
  readonly installation?: { readonly namespace: string; readonly prefix: string };
};

export type AutoscalingQuery = {
  readonly query: string;
  /** What a runner is to have of it on average: KEDA's `threshold`, the HPA's `averageValue`. */
  readonly threshold: string;
};

export function autoscalingQuery(options: AutoscalingQueryOptions): AutoscalingQuery {
  const { algorithm, targetUtilization, offline, installation } = options;
  const whose = installation ? `namespace="${installation.namespace}",prefix=~"${installation.prefix}|",` : '';
  const matchers = `${whose}algorithm="${algorithm}"`;
  const load = (mode: string): string => `sum(stream_infer_offered_load{${matchers},mode="${mode}"})`;
  const all = offline ? `(${load('realtime')} + ${targetUtilization} * ${load('offline')})` : load('realtime');
  return {
    query: `100 * ${all} / max(stream_infer_runner_capacity{${matchers}})`,
    threshold: String(Math.round(100 * targetUtilization)),
  };
}
