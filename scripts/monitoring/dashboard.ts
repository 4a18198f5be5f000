/**
 * What a dashboard is here: rows of panels, each with queries. The files that Grafana imports are made of it (grafana.ts), and so are the
 * pictures that show what a panel looks like (picture.ts).
 */

export type Query = {
  /** PromQL, with Grafana's variables. */
  readonly expr: string;
  /** `{{label}}` stands for its value. */
  readonly legend?: string;
  /** Of metrics that are not ours (docs/monitoring.md): without them the panel shows the rest. */
  readonly isForeign?: true;
};

export type Unit = 'short' | 's' | 'bytes' | 'Bps' | 'percentunit' | 'ops' | 'none';

export type Panel = {
  readonly title: string;
  readonly description: string;
  readonly queries: readonly Query[];
  readonly unit: Unit;
  /** Of 24. */
  readonly width: number;
} & (
  | { readonly kind: 'timeseries'; readonly isStacked?: true /** The scale ends there. */; readonly max?: number }
  /** One number; coloured from these values on. */
  | { readonly kind: 'stat'; readonly warnsAt?: number }
  /** A line for each series: these labels, and the value under this name. */
  | { readonly kind: 'table'; readonly columns: readonly string[]; readonly value: string }
);

export type Row = { readonly title: string; readonly panels: readonly Panel[] };

export type Variable = {
  readonly name: string;
  readonly label: string;
  /** What there is to choose from: a label of a metric. Without a metric it is text. */
  readonly metric?: string;
  readonly value?: string;
  /** One at a time; else several, and at first all. */
  readonly isSingle?: true;
};

export type Dashboard = {
  /** Of its file and its address in Grafana. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly Variable[];
  readonly rows: readonly Row[];
};

const NAMESPACE: Variable = { name: 'namespace', label: 'Namespace', metric: 'stream_infer_members' };
const PREFIX: Variable = { name: 'prefix', label: 'Installation', metric: 'stream_infer_members' };
/** On each dashboard. */
export const INSTALLATION: readonly Variable[] = [NAMESPACE, PREFIX];

/** Matchers of the installations that are chosen, and more. */
export const of = (...more: readonly string[]): string =>
  `{${['namespace=~"$namespace"', 'prefix=~"$prefix"', ...more].join(',')}}`;

/** A quantile of a histogram, by these labels. */
export const quantile = (q: number, histogram: string, matchers: string, ...by: readonly string[]): string =>
  `histogram_quantile(${q}, sum by (${['le', ...by].join(', ')}) (rate(${histogram}_bucket${matchers}[$__rate_interval])))`;

/** What half of it, and all but one in a hundred, is below. */
export const halfAndMost = (histogram: string, matchers: string): readonly Query[] => [
  { expr: quantile(0.5, histogram, matchers), legend: 'half' },
  { expr: quantile(0.99, histogram, matchers), legend: '99 %' },
];

/** Its mean. */
export const mean = (histogram: string, matchers: string, ...by: readonly string[]): string =>
  `${sumRate(`${histogram}_sum`, matchers, ...by)} / ${sumRate(`${histogram}_count`, matchers, ...by)}`;

export const sumRate = (counter: string, matchers: string, ...by: readonly string[]): string =>
  `sum${by.length > 0 ? ` by (${by.join(', ')})` : ''} (rate(${counter}${matchers}[$__rate_interval]))`;

/** With a line at 0 where nothing of the kind has happened yet, rather than no data. */
export const orNone = (expr: string, label: string): string =>
  `${expr} or label_replace(vector(0), "${label}", "none", "", "")`;
