/** Fails, naming each place, where a text of the repository says what none may, or a document links nowhere. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryFiles, root } from './repository-files.ts';
import { textViolations } from './text-rules.ts';

const texts = repositoryFiles(
  '*.md',
  '*.ts',
  '*.mjs',
  '*.js',
  '*.sh',
  '*.py',
  '*.y*ml',
  '*.json',
  '*.proto',
  'Makefile',
);
const violations = textViolations(texts, (path) => existsSync(join(root, path)));
for (const { path, line, message } of violations) console.error(`${path}:${line}: ${message}`);
console.log(`text rules: ${texts.size} files, ${violations.length} violations`);
process.exitCode = violations.length === 0 ? 0 : 1;
