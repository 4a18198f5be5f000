/**
 * Judges the model on frames that it has never seen: `node examples/demo/evaluate.ts [frames]` runs shapes.onnx with
 * ONNX Runtime over still frames of another seed and over every frame of the clip, and prints precision and recall at
 * IoU 0.5. Ends with status 1 where one of them is below 0.95.
 */
import { readFile } from 'node:fs/promises';
import { CLIP_FRAMES, clipSample } from './clip.ts';
import { EVALUATION_SEED, evaluate, openDetector } from './evaluation.ts';
import { emptyTallies, LEAST_SCORE, scoreOf, type Tally, tallyFrame } from './score.ts';
import { CLASSES } from './shape.ts';

const frames = Number(process.argv[2] ?? 1000);
const detector = await openDetector(await readFile(new URL('shapes.onnx', import.meta.url)));
const still = await evaluate(detector, EVALUATION_SEED, frames);
const clip = emptyTallies();
for (let index = 0; index < CLIP_FRAMES; index++) {
  const { drawing, truths } = clipSample(index);
  tallyFrame(clip, truths, await detector.detect(drawing));
}
await detector.close();

console.log(`${frames} still frames of seed ${EVALUATION_SEED}`);
printTable(still);
console.log(`${CLIP_FRAMES} frames of the clip`);
printTable(clip);
for (const { precision, recall } of [scoreOf(...still), scoreOf(...clip)]) {
  if (precision < LEAST_SCORE || recall < LEAST_SCORE) process.exitCode = 1;
}

function printTable(tallies: readonly Tally[]): void {
  console.log('          objects  precision  recall');
  for (const [classId, name] of CLASSES.entries()) printLine(name, [tallies[classId] as Tally]);
  printLine('all', tallies);
}

function printLine(name: string, tallies: readonly Tally[]): void {
  const { objects, precision, recall } = scoreOf(...tallies);
  const numbers = [String(objects).padStart(7), precision.toFixed(4).padStart(11), recall.toFixed(4).padStart(8)];
  console.log(`  ${name.padEnd(8)}${numbers.join('')}`);
}
