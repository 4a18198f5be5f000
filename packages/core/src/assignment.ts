/**
 * Who of several equals is to take which stream, decided by each of them alone from what all can see, so that they mostly agree;
 * where they do not, the registry's revisions decide (D11).
 *
 * - What nobody alive holds goes to whoever holds the least.
 * - One that holds two more than another gives one back at a time, until they are even.
 * - What the one it was meant for did not take in time is anybody's.
 */

export type Assignable = {
  readonly key: string;
  /** Undefined where nobody holds it. */
  readonly owner: string | undefined;
  /** Whether it can change hands while its owner lives. */
  readonly movable: boolean;
  /** It has waited for an owner for too long. */
  readonly overdue: boolean;
};

export type Assignment = { readonly take: readonly string[]; readonly giveBack: readonly string[] };

/** @param live ids of all that are alive, `self` among them. */
export function assignmentOf(self: string, live: readonly string[], items: readonly Assignable[]): Assignment {
  const loads = new Map([...live].sort().map((id) => [id, 0]));
  const orphans: Assignable[] = [];
  const own: Assignable[] = [];
  for (const item of [...items].sort(byKey)) {
    const load = item.owner === undefined ? undefined : loads.get(item.owner);
    if (item.owner === undefined || load === undefined) orphans.push(item);
    else loads.set(item.owner, load + 1);
    if (item.owner === self) own.push(item);
  }
  const take: string[] = [];
  for (const { key, overdue } of orphans) {
    const [least] = lightest(loads);
    loads.set(least, (loads.get(least) ?? 0) + 1);
    if (least === self || overdue) take.push(key);
  }
  const [, fewest] = lightest(loads);
  const tooMany = (loads.get(self) ?? 0) - fewest >= 2;
  const moved = tooMany && take.length === 0 ? own.findLast(({ movable }) => movable) : undefined;
  return { take, giveBack: moved ? [moved.key] : [] };
}

const byKey = (a: Assignable, b: Assignable): number => (a.key < b.key ? -1 : Number(a.key > b.key));

/** The id with the least, and how much that is; of several the first. */
function lightest(loads: ReadonlyMap<string, number>): readonly [id: string, load: number] {
  let best: readonly [string, number] = ['', Number.POSITIVE_INFINITY];
  for (const entry of loads) if (entry[1] < best[1]) best = entry;
  return best;
}

/** How long the one that a stream was meant for has to take it. */
const OVERDUE_MS = 2_000;

/** Since when streams wait for an owner. Times are of the caller's monotonic clock. */
export class OrphanTimes {
  readonly #sinceMs = new Map<string, number>();

  /** Whether this stream, which has no live owner now or has one, has waited for too long. */
  isOverdue(key: string, isOrphan: boolean, nowMs: number): boolean {
    if (!isOrphan) {
      this.#sinceMs.delete(key);
      return false;
    }
    const sinceMs = this.#sinceMs.get(key) ?? nowMs;
    this.#sinceMs.set(key, sinceMs);
    return nowMs - sinceMs >= OVERDUE_MS;
  }

  forget(key: string): void {
    this.#sinceMs.delete(key);
  }

  /** Forgets all but these. */
  retain(keys: { has(key: string): boolean }): void {
    for (const key of this.#sinceMs.keys()) if (!keys.has(key)) this.#sinceMs.delete(key);
  }
}
