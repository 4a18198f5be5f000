/** Waits for a condition, never for a time. */

/** Calls `attempt` until it returns something other than undefined, null or false; rejects with `what` after the limit. */
export async function eventually<T>(
  what: string,
  attempt: () => Promise<T | undefined | null | false> | T | undefined | null | false,
  limitMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + limitMs;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      const value = await attempt();
      if (value !== undefined && value !== null && value !== false) return value;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`not within ${limitMs} ms: ${what}`, { cause: last });
}
