/** The closing lines of a test run, over a run in which everything that can happen to a test happens. */

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

const FILES = {
  'vitest.config.ts': `
    import { TestSummary } from '../../scripts/test-summary.ts';
    export default { test: { include: ['*.test.ts'], reporters: [new TestSummary()] } };`,
  'mixed.test.ts': `
    import { beforeAll, describe, expect, it } from 'vitest';
    it('passes', () => {});
    it('fails', () => expect(1).toBe(2));
    it('needs a camera', (context) => context.skip('no camera here'));
    it.skip('says nothing', () => {});
    describe('suite', () => {
      beforeAll(() => { throw new Error('hook'); });
      it('never starts', () => {});
    });`,
  'broken.test.ts': `throw new Error('does not load');`,
};

describe('test summary', () => {
  let folder: string;
  beforeAll(async () => {
    await mkdir(join(root, '.tools'), { recursive: true });
    // Inside the checkout, so that vitest is found.
    folder = await mkdtemp(join(root, '.tools/test-summary-'));
    for (const [name, text] of Object.entries(FILES)) await writeFile(join(folder, name), text);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('counts what passed, failed and was skipped, and says why', async () => {
    const summary = join(folder, 'summary');
    const printed = await new Promise<string>((resolve) => {
      execFile(
        process.execPath,
        [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', folder],
        { cwd: folder, env: { ...process.env, STREAM_INFER_TEST_SUMMARY: summary, NO_COLOR: '1' } },
        (_error, stdout) => resolve(stdout),
      );
    });
    // Failed: the test, the file that does not load, the suite whose hook throws.
    expect(printed.trimEnd().split('\n').at(-1)).toBe('1 passed, 3 failed, 3 skipped');
    expect(printed).toContain('skipped, no camera here:\n  mixed.test.ts > needs a camera\n');
    const [counts, ...lines] = (await readFile(summary, 'utf8')).trimEnd().split('\n');
    expect(counts).toMatch(/^1 3 3 [1-9]/);
    expect(lines).toContain('skipped, and not in test/expected-skips: mixed.test.ts > needs a camera');
  });
});
