/**
 * Which box is which track: the assignment with the least cost in sum, in which leaving a pair unmatched costs the limit, so that no
 * pair above it is ever matched.
 */

import { munkres } from 'munkres';

export type Association = {
  /** Indices of a row and a column each. */
  readonly pairs: readonly (readonly [row: number, column: number])[];
  readonly restRows: readonly number[];
  readonly restColumns: readonly number[];
};

/** @param costs one row for each track, one column for each box; all finite. */
export function associate(costs: readonly (readonly number[])[], columns: number, limit: number): Association {
  const capped = costs.map((row) => row.map((cost) => Math.min(cost, limit)));
  const assigned = costs.length === 0 || columns === 0 ? [] : munkres(capped);
  const pairs = assigned
    .filter(([row, column]) => (costs[row]?.[column] ?? limit) < limit)
    .sort(([first], [second]) => first - second);
  const rows = new Set(pairs.map(([row]) => row));
  const taken = new Set(pairs.map(([, column]) => column));
  return {
    pairs,
    restRows: indices(costs.length).filter((row) => !rows.has(row)),
    restColumns: indices(columns).filter((column) => !taken.has(column)),
  };
}

const indices = (length: number): number[] => Array.from({ length }, (_, index) => index);
