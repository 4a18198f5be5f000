import { expect, it } from 'vitest';
import { textViolations } from './text-rules.ts';

const check = (path: string, text: string): string[] =>
  textViolations(new Map([[path, text]]), (target) => target === 'docs/there.md').map(
    ({ line, message }) => `${line}: ${message}`,
  );

it.each([
  ['a path of a machine', `see /${'work'}/shared/a.mp4`],
  ['a registry', `https://${'registry'}.npmjs.org/x`],
  ['unfinished business', `// ${'TO'}DO: later`],
])('finds %s', (_what, text) => {
  expect(check('docs/a.md', `first line\n${text}`)).toEqual([expect.stringMatching(/^2: says /)]);
});

it('finds a link to what is not there', () => {
  expect(check('docs/a.md', 'see [b](away.md#part)')).toEqual(['1: links to away.md, which is not there']);
});

it('follows links from the folder of their document, and leaves URLs, anchors and code alone', () => {
  const text = '[a](there.md#part) [b](../docs/there.md) [c](https://example.org/x) [d](#here) `[e](f)`';
  expect(check('docs/a.md', text)).toEqual([]);
});
