/**
 * Keeps a service that says the same again and again from filling the terminal: the first few lines of a kind are shown, the rest
 * counted and told once at the end.
 */

const SHOWN = 3;

export type RepeatedLines = {
  /** @param kind what counts as the same. */
  show(kind: string, line: string): void;
  /** Tells how many were not shown, by kind. */
  flush(): void;
};

export function repeatedLines(print: (line: string) => void): RepeatedLines {
  const counts = new Map<string, number>();
  return {
    show(kind, line) {
      const count = (counts.get(kind) ?? 0) + 1;
      counts.set(kind, count);
      if (count <= SHOWN) print(line);
    },
    flush() {
      for (const [kind, count] of counts) if (count > SHOWN) print(`${kind}: ${count - SHOWN} more of these`);
      counts.clear();
    },
  };
}
