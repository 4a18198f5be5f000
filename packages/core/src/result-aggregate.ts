/**
 * Results as a reader wants them: `{algorithm: {time key: data}}`, an error as `{"$error": {code, message}}`. Written as text,
 * because time keys stand in ascending numeric order and a JavaScript object would put `"1"` before `"0.5"`.
 */

import { canonicalJson } from './canonical-json.ts';
import type { ResultRecord } from './result-record.ts';

/** What the aggregate takes of a record. */
export type AggregateItem = Pick<ResultRecord, 'algorithm' | 'key' | 'data' | 'error'>;

/**
 * The aggregate of one stream as canonical JSON but for the order of time keys. Of several records with one algorithm and key, the
 * last wins. Algorithms without a record are absent, unless named in `algorithms`.
 */
export function resultAggregate(records: Iterable<AggregateItem>, algorithms: Iterable<string> = []): string {
  const texts = new Map<string, Map<string, string>>();
  for (const name of algorithms) texts.set(name, new Map());
  for (const record of records) {
    let results = texts.get(record.algorithm);
    if (results === undefined) {
      results = new Map();
      texts.set(record.algorithm, results);
    }
    results.set(record.key, canonicalJson(record.error === undefined ? record.data : { $error: record.error }));
  }
  return members([...texts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, results]) => [name, byTime(results)]));
}

const byTime = (results: ReadonlyMap<string, string>): string =>
  members([...results].sort(([a], [b]) => Number(a) - Number(b)));

const members = (entries: readonly (readonly [string, string])[]): string =>
  `{${entries.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(',')}}`;
