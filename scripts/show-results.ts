/** Prints a few results of the results file named, in words. */

import { readFileSync } from 'node:fs';
import { type Aggregate, shownResults } from './shown-results.ts';

const [file = 'demo-out/results.json'] = process.argv.slice(2);
for (const line of shownResults(JSON.parse(readFileSync(file, 'utf8')) as Aggregate)) console.log(line);
