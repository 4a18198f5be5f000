/** Where something was thrown, as its author wants to read it: the first place of a stack that is in a file of theirs. */

const PLACE = /\(?((?:file:\/\/)?\/[^()]*:\d+:\d+)\)?$/;
const NOT_THEIRS = /node:|[\\/]node_modules[\\/]/;

/** `path:line:column`, or undefined where the stack names no file of the author. */
export function stackPlace(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.stack === undefined) return undefined;
  for (const line of error.stack.split('\n')) {
    if (!line.trimStart().startsWith('at ') || NOT_THEIRS.test(line)) continue;
    const place = PLACE.exec(line.replace(/^\s*at (?:async )?/, ''))?.[1];
    if (place !== undefined) return place.replace(/^file:\/\//, '');
  }
  return undefined;
}

/** What was thrown, in words: its message, else its name, else itself. */
export function thrownMessage(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.message === '' ? thrown.name : thrown.message;
}
