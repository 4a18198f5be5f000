/** The repository's own text: what git tracks and what is new and not ignored. */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..');

/**
 * @param patterns git's, such as `*.ts`.
 * @returns path from the root, with `/`, → text.
 */
export function repositoryFiles(...patterns: readonly string[]): ReadonlyMap<string, string> {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...patterns];
  const paths = execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\0');
  return new Map(
    paths
      .filter((path) => path !== '' && existsSync(join(root, path)))
      .map((path) => [path, readFileSync(join(root, path), 'utf8')]),
  );
}
