/**
 * What no text of the repository says: a path of the machine that it was written on, a registry's host, unfinished business; and no
 * document links to what is not there. Pure: the texts go in, the violations come out.
 */

import { posix } from 'node:path';

export type TextViolation = { readonly path: string; readonly line: number; readonly message: string };

/** Written apart, so that this file does not say them either. */
const FORBIDDEN: readonly (readonly [RegExp, string])[] = [
  [new RegExp('/wor' + 'k/(?:ma' + 'in|sha' + 'red)'), 'a path of the machine that it was written on'],
  [new RegExp('regis' + 'try\\.npmjs|deb\\.deb' + 'ian\\.org|npm' + 'mirror'), "a registry's host"],
  [new RegExp('\\b(?:TO' + 'DO|FIX' + 'ME|XX' + 'X)\\b'), 'unfinished business'],
];

/** `[text](target)`, without what follows `#`; not in code spans, and not a URL. */
function* relativeLinks(line: string): Generator<string> {
  for (const [, target = ''] of line.replace(/`[^`]*`/g, '').matchAll(/\]\(([^)\s#]+)[^)]*\)/g)) {
    if (!/^[a-z]+:/.test(target)) yield target;
  }
}

/** What is wrong with one line of the text at `path`. */
function* lineFaults(path: string, line: string, exists: (path: string) => boolean): Generator<string> {
  for (const [pattern, what] of FORBIDDEN) {
    const found = pattern.exec(line);
    if (found) yield `says "${found[0]}": ${what}`;
  }
  if (!path.endsWith('.md')) return;
  for (const target of relativeLinks(line)) {
    const linked = target.startsWith('/') ? target.slice(1) : posix.join(posix.dirname(path), target);
    if (!exists(linked)) yield `links to ${target}, which is not there`;
  }
}

/**
 * @param texts path from the root, with `/`, → text.
 * @param exists whether a path from the root is a file or folder.
 */
export function textViolations(texts: ReadonlyMap<string, string>, exists: (path: string) => boolean): TextViolation[] {
  return [...texts].flatMap(([path, text]) =>
    text
      .split('\n')
      .flatMap((line, index) =>
        [...lineFaults(path, line, exists)].map((message) => ({ path, line: index + 1, message })),
      ),
  );
}
