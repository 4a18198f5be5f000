/**
 * YOLOX: one box per cell of three grids. The picture keeps its shape, padded with 114 right and below; BGR, 0 to 255 as
 * they are. Output `[1, cells, 5 + classes]`: centre as an offset from the cell and size as a logarithm, in strides;
 * then objectness and the classes, whose product is the score.
 */
import type { Candidate } from '../detections.ts';
import { defaultClassLabels } from '../labels.ts';
import type { ModelSignature } from '../model-session.ts';
import type { Size } from '../preprocess/placement.ts';
import { cellCount, gridOf, STRIDES } from './detection-grid.ts';
import { type Family, type FamilyModel, fits, imageInput, isOneOrFree, type Output, shapeFault } from './family.ts';

export const yolox: Family = {
  name: 'yolox',
  preprocess: { channels: 'bgr', scale: 1, mean: [0, 0, 0], std: [1, 1, 1], padding: 114 },
  resize: 'letterbox',
  scoreThreshold: 0.3,
  nms: { iou: 0.45, classAgnostic: true },
  labels: defaultClassLabels,
  check,
};

const READS =
  'one input float32 [batch, 3, height, width] and one output float32 [batch, cells, 5 + classes], ' +
  'with the cells of strides 8, 16 and 32';

function check(signature: ModelSignature): FamilyModel {
  const input = imageInput(signature);
  const [output, ...others] = signature.outputs;
  const [batch, cells, features] = output?.shape ?? [];
  if (
    input === null ||
    output === undefined ||
    others.length > 0 ||
    output.type !== 'float32' ||
    output.shape.length !== 3 ||
    !isOneOrFree(batch) ||
    (input.size !== null && !fits(cells, cellCount(input.size))) ||
    typeof features !== 'number' ||
    features < 6
  ) {
    throw shapeFault(signature, yolox.name, READS);
  }
  const { name } = output;
  return {
    input,
    outputNames: [name],
    classCount: features - 5,
    decode(outputs, size, scoreThreshold) {
      const values = outputs.get(name);
      if (values.dims[0] !== cellCount(size)) throw shapeFault(signature, yolox.name, READS);
      return decode(values, size, scoreThreshold);
    },
  };
}

function decode(output: Output, size: Size, scoreThreshold: number): Candidate[] {
  const { data } = output;
  const features = output.dims[1] as number;
  const candidates: Candidate[] = [];
  let at = 0;
  for (const stride of STRIDES) {
    const { columns, rows } = gridOf(size, stride);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++, at += features) {
        const objectness = data[at + 4] as number;
        if (!(objectness >= scoreThreshold)) continue; // a class is at most 1, so the score is at most this
        const classId = bestClass(data, at + 5, features - 5);
        const score = objectness * (data[at + 5 + classId] as number);
        if (!(score >= scoreThreshold)) continue;
        const x = ((data[at] as number) + column) * stride;
        const y = ((data[at + 1] as number) + row) * stride;
        const halfWidth = (Math.exp(data[at + 2] as number) * stride) / 2;
        const halfHeight = (Math.exp(data[at + 3] as number) * stride) / 2;
        candidates.push({ box: [x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight], score, classId });
      }
    }
  }
  return candidates;
}

function bestClass(data: Float32Array, start: number, count: number): number {
  let best = 0;
  for (let classId = 1; classId < count; classId++) {
    if ((data[start + classId] as number) > (data[start + best] as number)) best = classId;
  }
  return best;
}
