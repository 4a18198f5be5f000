import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findExecutable, isAtLeast, programVersion } from './executable.ts';

test.each([
  ['2.9.10', true],
  ['2.9', true],
  ['3.0.0', true],
  ['2.15.1', true],
  ['2.8.4', false],
  ['1.10', false],
  ['5.1.6-0+deb12u1', true],
  [undefined, true],
  ['git-2024', true],
])('%s against 2.9: %s', (version, expected) => {
  expect(isAtLeast(version, [2, 9])).toBe(expected);
});

describe('programs', () => {
  let directory: string;
  const program = async (name: string, says: string, mode = 0o755): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, `#!/bin/sh\necho '${says}'\n`);
    await chmod(path, mode);
    return path;
  };
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stream-infer-programs-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  test('are found by the PATH, where they can be executed', async () => {
    const path = await program('thing', '');
    await program('text', '', 0o644);
    expect(await findExecutable('thing', `/nowhere:${directory}`)).toBe(path);
    expect(await findExecutable('text', directory)).toBeUndefined();
    expect(await findExecutable('gone', directory)).toBeUndefined();
    expect(await findExecutable(path, '')).toBe(path);
  });

  test.each([
    ['nats-server: v2.9.10', '2.9.10'],
    ['ffmpeg version 5.1.6-0+deb12u1 Copyright (c) 2000-2024', '5.1.6-0+deb12u1'],
    ['ffmpeg version n7.1 Copyright', '7.1'],
    ['nothing to say', undefined],
  ])('tell their version: %s', async (says, version) => {
    expect(await programVersion(await program('versioned', says), '--version')).toBe(version);
  });
});
