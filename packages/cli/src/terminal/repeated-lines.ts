/**
 * Keeps a service that says the same again and again from filling the terminal: within some seconds the first few lines of a kind are
 * shown, the rest counted and told when these seconds are over. Of a kind that goes on like that it is told more and more seldom; what
 * comes after a pause is shown again as it comes.
 */

const SHOWN = 3;
const FIRST_PERIOD_MS = 10_000;
const LONGEST_PERIOD_MS = 600_000;

export type RepeatedLines = {
  /** @param kind what counts as the same: in words, for they are told with the count. */
  show(kind: string, line: string): void;
  /** Tells how many were not shown, by kind, and forgets them. */
  flush(): void;
};

type Period = { count: number; readonly lengthMs: number; readonly end: NodeJS.Timeout };

export function repeatedLines(print: (line: string) => void): RepeatedLines {
  const periods = new Map<string, Period>();
  const begin = (kind: string, lengthMs: number): Period => {
    const period = { count: 0, lengthMs, end: setTimeout(() => over(kind, period), lengthMs).unref() };
    periods.set(kind, period);
    return period;
  };
  const tell = (kind: string, { count }: Period): void => {
    if (count > SHOWN) print(`${kind}: ${count - SHOWN} more of these`);
  };
  const over = (kind: string, period: Period): void => {
    tell(kind, period);
    periods.delete(kind);
    if (period.count > SHOWN) begin(kind, Math.min(2 * period.lengthMs, LONGEST_PERIOD_MS));
  };
  return {
    show(kind, line) {
      const period = periods.get(kind) ?? begin(kind, FIRST_PERIOD_MS);
      period.count += 1;
      if (period.count <= SHOWN) print(line);
    },
    flush() {
      for (const [kind, period] of periods) {
        clearTimeout(period.end);
        tell(kind, period);
      }
      periods.clear();
    },
  };
}
