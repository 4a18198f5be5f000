/** What somebody who mistyped a word most likely meant: keys of the configuration, options and subcommands of the command. */

/**
 * How many letters must be inserted, removed, changed or swapped with their neighbour to make `b` of `a`, without touching a
 * swapped pair again (Damerau-Levenshtein, restricted).
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current.push(
        Math.min(
          (last[column] ?? 0) + 1,
          (current[column - 1] ?? 0) + 1,
          (last[column - 1] ?? 0) + (same ? 0 : 1),
          swapped ? (beforeLast[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}

/** What is called otherwise here, in lower case. */
const SYNONYMS: Readonly<Record<string, string>> = { cuda: 'gpu', nvidia: 'gpu' };

/** The known word nearest to `word`, whatever the case; undefined where none is near enough to be meant. The first wins a tie. */
export function nearestKey(word: string, known: readonly string[]): string | undefined {
  const synonym = SYNONYMS[word.toLowerCase()];
  if (synonym !== undefined && known.includes(synonym)) return synonym;
  let nearest: string | undefined;
  let nearestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    const bearable = Math.max(1, Math.floor(Math.max(word.length, candidate.length) * 0.4));
    if (distance <= bearable && distance < nearestDistance) {
      nearest = candidate;
      nearestDistance = distance;
    }
  }
  return nearest;
}
