/**
 * How long an invocation may stay unanswered though its runner lives: its own time limit, counted from when it can have started. The
 * runner itself ends an invocation at its limit (G-7), so this is for one that does not.
 */

type Limited = { readonly definition: string; readonly timeoutMs: number };

/** For fetching the frames, a worker that is made anew, and what other schedulers sent to the runner. */
const GRACE_MS = 10_000;
/** A runner that takes more than it can run soon is not waited for without end. */
const MOST_ROUNDS = 4;

/**
 * Milliseconds from sending.
 * @param before what was sent before it on this conversation and is not answered.
 * @param concurrency how many of its definition the runner runs at once.
 */
export function answerLimitMs(invocation: Limited, before: readonly Limited[], concurrency: number): number {
  const ahead = before.filter(({ definition }) => definition === invocation.definition);
  const rounds = Math.min(Math.floor(ahead.length / concurrency), MOST_ROUNDS);
  const longestMs = Math.max(0, ...ahead.map(({ timeoutMs }) => timeoutMs));
  return rounds * longestMs + invocation.timeoutMs + GRACE_MS;
}
