/**
 * Items in runs of distinct places. One statement can decide about a place once: what comes for it again in the same batch belongs to the
 * next statement, which sees what the one before it did. Pure.
 */

import type { StoreItem } from '../store-item.ts';

/** In order; within each no place (stream, run, algorithm, n), and no end of a run, comes twice. */
export function distinctPlaces<Item extends StoreItem>(items: readonly Item[]): Item[][] {
  const groups: Item[][] = [];
  let seen = new Set<string>();
  for (const item of items) {
    const { stream, run } = item;
    const place = item.kind === 'end' ? `${stream}.${run}` : `${stream}.${run}.${item.algorithm}.${item.n}`;
    if (groups.length === 0 || seen.has(place)) {
      groups.push([]);
      seen = new Set();
    }
    seen.add(place);
    groups.at(-1)?.push(item);
  }
  return groups;
}
