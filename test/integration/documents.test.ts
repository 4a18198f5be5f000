/** Documents say what the code does: the generated ones are current, and nothing of the contract is undocumented or untested. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HEADER_NAMES } from '@stream-infer/bus/frame-headers';
import { autoscalingQuery } from '@stream-infer/core/autoscaling-query';
import { FAULTS } from '@stream-infer/core/fault';
import { describe, expect, test } from 'vitest';
import { parseCommandLine } from '../../packages/cli/src/command-line.ts';
import { generatedDocuments } from '../../scripts/generated-documents.ts';
import { root } from '../harness/programs.ts';

const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
}).split('\n');
const files = listed.filter((path) => path.endsWith('.ts') && !path.includes('/gen/'));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const TARGETS = [...read('Makefile').matchAll(/^([a-z0-9-]+):/gm)].map(([, target]) => target);
const isTest = (path: string): boolean => path.endsWith('.test.ts');
const tests = files
  .filter(isTest)
  .filter((path) => !path.endsWith('documents.test.ts'))
  .map(read)
  .join('\n');
const sources = files
  .filter((path) => !path.startsWith('test/') && !isTest(path))
  .map(read)
  .join('\n');

test.each([...generatedDocuments()])('%s is what the code says', (path, content) => {
  expect(read(path)).toBe(content);
});

describe.each(listed.filter((path) => path.endsWith('.md')))('%s', (path) => {
  const code = read(path).match(/^```[\s\S]*?^```|`[^`\n]+`/gm) ?? [];
  const named = (program: string): string[] =>
    code.flatMap((text) =>
      [...text.matchAll(new RegExp(`(?<=^|\`)${program} ([a-z][a-z0-9-]*)`, 'gm'))].map(([, word = '']) => word),
    );

  test('names targets of make and commands that there are', () => {
    expect(TARGETS).toEqual(expect.arrayContaining(named('make')));
    for (const command of named('(?:\\./)?stream-infer'))
      expect(() => parseCommandLine([command, '--help']), command).not.toThrow();
  });
});

describe('docs/protocol.md', () => {
  const protocol = read('docs/protocol.md');
  const rules = [...protocol.matchAll(/\*\*([A-Z]-\d+)\*\*/g)].map((match) => match[1] ?? '');

  test('has rules, each with an id of its own', () => {
    expect(rules.length).toBeGreaterThan(20);
    expect(new Set(rules).size).toBe(rules.length);
  });

  test.each(rules)('rule %s is cited by a test', (rule) => {
    expect(new RegExp(`\\b${rule}\\b`).test(tests)).toBe(true);
  });

  test.each(HEADER_NAMES)('names the header %s', (name) => {
    expect(protocol).toContain(`\`${name}\``);
  });
});

describe('docs/metrics.md', () => {
  const metrics = [...new Set(sources.match(/(?<=')stream_infer_[a-z_]+(?=')/g) ?? [])].sort();
  const document = read('docs/metrics.md');

  test('there are metrics', () => expect(metrics.length).toBeGreaterThan(10));

  test.each(metrics)('has %s', (name) => {
    expect(document).toContain(`\`${name}\``);
  });

  test('has nothing that no service exports', () => {
    const documented = [...document.matchAll(/`(stream_infer_[a-z_]+)`/g)].map((match) => match[1] ?? '');
    expect(documented.filter((name) => !metrics.includes(name))).toEqual([]);
  });
});

test.each(Object.keys(FAULTS))('the fault %s has a test', (code) => {
  expect(tests.includes(code)).toBe(true);
});

test('docs/autoscaling.md has the query that autoscalers are given', () => {
  const { query } = autoscalingQuery({ algorithm: 'faces', targetUtilization: 0.7, offline: true });
  expect(read('docs/autoscaling.md')).toContain(`\n${query}\n`);
});
