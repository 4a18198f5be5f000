/**
 * UltraFace: faces, with boxes decoded inside the model. The picture is stretched to the model's size, RGB, (x − 127) /
 * 128. Outputs: `[1, N, 2]` scores (background, face) and `[1, N, 4]` corners from 0 to 1, told apart by their last axis.
 */
import type { Candidate } from '../detections.ts';
import type { ModelSignature, TensorInfo } from '../model-session.ts';
import type { Size } from '../preprocess/placement.ts';
import { type Family, type FamilyModel, imageInput, isOneOrFree, type Outputs, shapeFault } from './family.ts';

export const ultraface: Family = {
  name: 'ultraface',
  preprocess: { channels: 'rgb', scale: 1, mean: [127, 127, 127], std: [128, 128, 128], padding: 0 },
  resize: 'stretch',
  scoreThreshold: 0.7,
  nms: { iou: 0.3, classAgnostic: true },
  labels: () => ['face'],
  check,
};

function check(signature: ModelSignature): FamilyModel {
  const input = imageInput(signature);
  const scores = outputsOfWidth(signature, 2);
  const boxes = outputsOfWidth(signature, 4);
  const [score] = scores;
  const [box] = boxes;
  if (
    input === null ||
    input.size === null ||
    score === undefined ||
    box === undefined ||
    scores.length + boxes.length !== 2 ||
    score.shape[1] !== box.shape[1]
  ) {
    throw shapeFault(
      signature,
      ultraface.name,
      'one input float32 [1, 3, height, width] of a fixed size and outputs float32 [1, N, 2] and [1, N, 4]',
    );
  }
  const names = [score.name, box.name] as const;
  return {
    input,
    outputNames: names,
    classCount: 1,
    decode: (outputs, size, scoreThreshold) => decode(outputs, names, size, scoreThreshold),
  };
}

const outputsOfWidth = (signature: ModelSignature, width: number): TensorInfo[] =>
  signature.outputs.filter(
    ({ type, shape }) => type === 'float32' && shape.length === 3 && isOneOrFree(shape[0]) && shape[2] === width,
  );

function decode(
  outputs: Outputs,
  [scoreName, boxName]: readonly [string, string],
  size: Size,
  scoreThreshold: number,
): Candidate[] {
  const scores = outputs.get(scoreName).data;
  const boxes = outputs.get(boxName).data;
  const candidates: Candidate[] = [];
  for (let at = 1; at < scores.length; at += 2) {
    const score = scores[at] as number;
    if (score < scoreThreshold) continue;
    const from = (at - 1) * 2;
    candidates.push({
      box: [
        (boxes[from] as number) * size.width,
        (boxes[from + 1] as number) * size.height,
        (boxes[from + 2] as number) * size.width,
        (boxes[from + 3] as number) * size.height,
      ],
      score,
      classId: 0,
    });
  }
  return candidates;
}
