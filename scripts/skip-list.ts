/**
 * Which skipped tests are accepted. A skip hides whatever it skips, so each that `.ci/run` may see stands in
 * test/expected-skips with why; one that does not, and one that stands there though its test ran, is a fault.
 */

export type Skip = { readonly test: string; readonly reason: string | undefined };

/** `path > suite > test  # why`, a line each; blank lines and lines that begin with `#` are free. */
export function parseSkipList(text: string): Skip[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [test = '', ...reason] = line.split(/\s+#\s+/);
      return { test, reason: reason.length === 0 ? undefined : reason.join(' # ') };
    });
}

/** What is wrong, a line each; nothing where every skip is expected and every expected one was seen. */
export function skipFaults(skipped: readonly Skip[], expected: readonly Skip[]): string[] {
  const names = (skips: readonly Skip[]): Set<string> => new Set(skips.map((skip) => skip.test));
  const seen = names(skipped);
  const accepted = names(expected);
  return [
    ...[...seen]
      .filter((test) => !accepted.has(test))
      .map((test) => `skipped, and not in test/expected-skips: ${test}`),
    ...expected
      .filter(({ test }) => !seen.has(test))
      .map(({ test }) => `in test/expected-skips, and not skipped: ${test}`),
    ...expected.filter(({ reason }) => !reason).map(({ test }) => `in test/expected-skips without a reason: ${test}`),
  ];
}

/**
 * Why a test was skipped: what it said itself (`context.skip('no camera')`), else what stands in parentheses at the end of its
 * own name or of a suite around it, the nearest first: `describe.skipIf(…)('golden figures (needs STREAM_INFER_MEDIA)', …)`.
 */
export function skipReason(note: string | undefined, fullName: string): string | undefined {
  const named = fullName.split(' > ').map((name) => /\(([^()]+)\)$/.exec(name)?.[1]);
  return note ?? named.findLast((reason) => reason !== undefined);
}

/** The skipped tests by reason, as they are printed. */
export function describeSkips(skipped: readonly Skip[]): string[] {
  const byReason = Map.groupBy(skipped, (skip) => skip.reason ?? 'no reason given');
  return [...byReason].flatMap(([reason, skips]) => [`skipped, ${reason}:`, ...skips.map((skip) => `  ${skip.test}`)]);
}
