/** `make bench`: measures, and writes bench/RESULTS.md. Exits 1 where a limit is not held. */

import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { benchCost } from './cost.ts';
import { benchInference } from './inference.ts';
import { resultsDocument } from './table.ts';

const root = join(import.meta.dirname, '..');
const folder = process.env.STREAM_INFER_BENCH ?? join(tmpdir(), 'stream-infer-bench');
await mkdir(folder, { recursive: true });
const media = process.env.STREAM_INFER_MEDIA;
const rows = await benchCost(root, folder, 3);
const skipped: string[] = [];
if (media) rows.push(...(await benchInference(root, folder, media, 5)));
else skipped.push('UltraFace on every frame; STREAM_INFER_MEDIA names no folder with the model.');
const text = resultsDocument(rows, skipped);
await writeFile(join(import.meta.dirname, 'RESULTS.md'), text);
console.log(text);
process.exitCode = rows.every(({ held }) => held) ? 0 : 1;
