import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openApiTokens } from './api-tokens.ts';

test('a token that counts no more has no validity, whoever asked before', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'stream-infer-test-tokens-'));
  const file = join(folder, 'tokens');
  const standing = { name: 'here', role: 'read', sha256: 'a'.repeat(64) } as const;
  await writeFile(file, `here read ${standing.sha256}\n`);
  const tokens = await openApiTokens(file, () => undefined);
  try {
    expect(tokens.validity(standing).aborted).toBe(false);
    expect(tokens.validity({ ...standing, name: 'gone' }).aborted).toBe(true);
    expect(tokens.validity({ ...standing, role: 'operate' }).aborted).toBe(true);
  } finally {
    tokens.close();
    await rm(folder, { recursive: true });
  }
});
