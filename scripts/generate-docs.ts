/**
 * Writes the documents that are generated from the code: docs/faults.md, docs/configuration.md, docs/configuration.schema.json.
 * With `--check` it writes nothing and fails where one is not what the code says.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generatedDocuments } from './generated-documents.ts';

const root = join(import.meta.dirname, '..');
const check = process.argv.includes('--check');
let stale = 0;
for (const [path, content] of generatedDocuments()) {
  const file = join(root, path);
  const present = await readFile(file, 'utf8').catch(() => '');
  if (present === content) continue;
  if (check) {
    stale += 1;
    console.error(`${path} is not what the code says: run make docs`);
  } else {
    await writeFile(file, content);
    console.log(`wrote ${path}`);
  }
}
process.exitCode = stale === 0 ? 0 : 1;
