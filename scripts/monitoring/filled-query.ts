/** A panel's query with Grafana's variables filled in, as Grafana does before it asks. */

export type Chosen = {
  readonly rateInterval: string;
  readonly namespace?: string;
  readonly prefix?: string;
  readonly stream?: string;
  readonly algorithm?: string;
  /** Percent. */
  readonly target?: string;
};

export function filledQuery(expr: string, { rateInterval, ...chosen }: Chosen): string {
  const values: Readonly<Record<string, string>> = {
    namespace: '.*',
    prefix: '.*',
    stream: '.*',
    algorithm: '.*',
    target: '70',
    ...chosen,
  };
  return expr
    .replaceAll('$__rate_interval', rateInterval)
    .replaceAll(/\$([a-z]+)/g, (whole, name: string) => values[name] ?? whole);
}
