/** Fails, naming each place, where a source file breaks a layer rule. */

import { layerViolations } from './layer-rules.ts';
import { repositoryFiles } from './repository-files.ts';

const sources = repositoryFiles('*.ts', '*.mjs');
const violations = layerViolations(sources);
for (const { path, line, message } of violations) console.error(`${path}:${line}: ${message}`);
console.log(`layer rules: ${sources.size} files, ${violations.length} violations`);
process.exitCode = violations.length === 0 ? 0 : 1;
