import { describe, expect, test } from 'vitest';
import { apiTokenLine, mayDo, parseApiTokens } from './api-token.ts';

const HASH = 'a'.repeat(64);

test('a token is a line of name, role and hash, between comments', () => {
  const tokens = parseApiTokens(
    `# ours\n\nops operate ${HASH.toUpperCase()}\n  grafana\tread ${HASH} # a board\r\n`,
    'tokens',
  );
  expect(tokens).toEqual([
    { name: 'ops', role: 'operate', sha256: HASH },
    { name: 'grafana', role: 'read', sha256: HASH },
  ]);
  expect(parseApiTokens(tokens.map(apiTokenLine).join('\n'), 'tokens')).toEqual(tokens);
});

test('who may operate may read, and not the other way about', () => {
  expect([mayDo('operate', 'read'), mayDo('read', 'read'), mayDo('read', 'operate')]).toEqual([true, true, false]);
});

describe('a line that is none is told by its number, and is not quoted', () => {
  test.each([
    ['s3cret', 'tokens:2 has no role: it must be read or operate'],
    [`a/b read ${HASH}`, 'tokens:2 has a name that it cannot'],
    [`ops admin ${HASH}`, 'tokens:2 has no role'],
    ['ops read s3cret', 'tokens:2 has no SHA-256 of a token in its third place'],
    [`ops read ${HASH} s3cret`, 'tokens:2 has no SHA-256'],
    [`first read ${HASH}`, 'tokens:2 has the name first of a line before it'],
  ])('%s', (line, problem) => {
    const read = (): unknown => parseApiTokens(`first read ${HASH}\n${line}\n`, 'tokens');
    expect(read).toThrow(problem);
    expect(read).not.toThrow('s3cret');
  });
});
