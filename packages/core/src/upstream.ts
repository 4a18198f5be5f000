/**
 * Algorithms on algorithms: one that comes after others is invoked for each of their results, in order, and is handed what they
 * said. What comes after what is a graph without cycles; a window of an algorithm is due where all that it comes after have a result.
 */

import { Fault, type FaultJson } from './fault.ts';
import { nearestKey } from './nearest-key.ts';

/** What an algorithm that others come after said of one window: canonical JSON in UTF-8, or why it has none. */
export type UpstreamResult =
  | { readonly kind: 'data'; readonly json: Uint8Array }
  | {
      readonly kind: 'error';
      readonly fault: FaultJson;
      /** What it said is not known any more. */
      readonly isGone?: true;
    };

/** By algorithm. */
export type UpstreamResults = ReadonlyMap<string, UpstreamResult>;

type Dependent = { readonly name: string; readonly after?: readonly string[] | undefined };

/** `after` as a configuration gives it, a name or a list, as a list without repetitions; undefined where it gives none. */
export function upstreamNames(after: string | readonly string[] | undefined): readonly string[] | undefined {
  return after === undefined ? undefined : [...new Set([after].flat())];
}

/**
 * The algorithms in an order in which each stands behind all that it comes after; otherwise as they were given.
 * @param where begins the message. Throws CONFIG_INVALID for a name that is none of theirs and for a cycle, written out.
 */
export function upstreamFirst<T extends Dependent>(algorithms: readonly T[], where: string): readonly T[] {
  const byName = new Map(algorithms.map((algorithm) => [algorithm.name, algorithm]));
  const ordered = new Set<T>();
  const visit = (algorithm: T, path: readonly string[]): void => {
    const { name, after = [] } = algorithm;
    if (path.includes(name)) throw cycleFault([...path.slice(path.indexOf(name)), name], where);
    if (ordered.has(algorithm)) return;
    for (const upstream of after) {
      const found = byName.get(upstream);
      if (found === undefined) throw unknownFault(name, upstream, [...byName.keys()], where);
      visit(found, [...path, name]);
    }
    ordered.add(algorithm);
  };
  for (const algorithm of algorithms) visit(algorithm, []);
  return [...ordered];
}

function cycleFault(cycle: readonly string[], where: string): Fault {
  const [name = ''] = cycle;
  const written = cycle.join(' after ');
  return new Fault(
    'CONFIG_INVALID',
    `${where}: algorithm ${name} comes after itself (${written}): take one "after" of these away`,
  );
}

function unknownFault(name: string, upstream: string, known: readonly string[], where: string): Fault {
  const others = known.filter((one) => one !== name);
  const nearest = nearestKey(upstream, others);
  const advice = nearest ? `did you mean ${nearest}?` : `there are ${others.join(', ') || 'no others'}`;
  return new Fault(
    'CONFIG_INVALID',
    `${where}: algorithm ${name} comes after ${upstream}, which is not there: ${advice}`,
  );
}

/** The error that stands for a window whose upstream has an error; undefined where none has. */
export function upstreamFault(results: UpstreamResults): Fault | undefined {
  for (const [name, result] of results)
    if (result.kind === 'error')
      return new Fault(
        'UPSTREAM_FAILED',
        `${name} has no data for this window (${result.fault.code}: ${result.fault.message})`,
      );
  return undefined;
}

/** In place of a result that stood on the bus and does not any more. */
export const goneResult = (name: string, n: number): UpstreamResult => ({
  kind: 'error',
  fault: { code: 'UPSTREAM_FAILED', message: `the result of ${name} for window ${n} is gone from the bus` },
  isGone: true,
});

/** Whether one of them is not known any more. */
export function hasGone(results: UpstreamResults): boolean {
  for (const result of results.values()) if (result.kind === 'error' && result.isGone) return true;
  return false;
}
