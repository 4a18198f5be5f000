/**
 * Builds the demo's model: `node examples/demo/train.ts` trains it and writes shapes.onnx and labels.txt beside this
 * file. The bytes are the same on every machine. `evaluate.ts` says how good it is.
 */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { modelOf } from './model.ts';
import { CLASSES } from './shape.ts';
import { STAGES, TRAINING_SEED, train } from './training.ts';

const started = performance.now();
const network = train(TRAINING_SEED, STAGES, ({ step, steps, scoreLoss, boxLoss }) => {
  const minutes = ((performance.now() - started) / 60_000).toFixed(1);
  console.log(`step ${step}/${steps}  scores ${scoreLoss.toFixed(4)}  boxes ${boxLoss.toFixed(4)}  ${minutes} min`);
});
const model = modelOf(network);
await writeFile(new URL('shapes.onnx', import.meta.url), model);
await writeFile(new URL('labels.txt', import.meta.url), `${CLASSES.join('\n')}\n`);
console.log(`shapes.onnx: ${model.length} bytes, sha256 ${createHash('sha256').update(model).digest('hex')}`);
