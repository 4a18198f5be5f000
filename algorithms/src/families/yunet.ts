/**
 * YuNet: faces, one box per cell of three grids. The picture keeps its shape, padded with zeros right and below; BGR,
 * 0 to 255 as they are. Outputs per stride s: `cls_s` and `obj_s` `[1, cells, 1]` and `bbox_s` `[1, cells, 4]`, the
 * centre as an offset from the cell and the size as a logarithm, in strides; the score is their product (OpenCV's own
 * class takes the square root of it). Landmarks (`kps_s`) are not read.
 */
import type { Candidate } from '../detections.ts';
import type { ModelSignature } from '../model-session.ts';
import type { Size } from '../preprocess/placement.ts';
import { type Grid, gridOf, STRIDES } from './detection-grid.ts';
import { type Family, type FamilyModel, fits, imageInput, isOneOrFree, type Outputs, shapeFault } from './family.ts';

export const yunet: Family = {
  name: 'yunet',
  preprocess: { channels: 'bgr', scale: 1, mean: [0, 0, 0], std: [1, 1, 1], padding: 0 },
  resize: 'letterbox',
  scoreThreshold: 0.6,
  nms: { iou: 0.5, classAgnostic: true },
  labels: () => ['face'],
  check,
};

function check(signature: ModelSignature): FamilyModel {
  const input = imageInput(signature);
  const readable = STRIDES.every((stride) => {
    const cells = input?.size ? cellsAt(input.size, stride) : null;
    return (
      hasOutput(signature, `cls_${stride}`, 1, cells) &&
      hasOutput(signature, `obj_${stride}`, 1, cells) &&
      hasOutput(signature, `bbox_${stride}`, 4, cells)
    );
  });
  if (input === null || !readable) {
    throw shapeFault(
      signature,
      yunet.name,
      'one input float32 [batch, 3, height, width] and outputs float32 cls_S [batch, cells, 1], ' +
        'obj_S [batch, cells, 1] and bbox_S [batch, cells, 4] for S in 8, 16, 32',
    );
  }
  return {
    input,
    outputNames: STRIDES.flatMap((stride) => [`cls_${stride}`, `obj_${stride}`, `bbox_${stride}`]),
    classCount: 1,
    decode: (outputs, size, scoreThreshold) =>
      STRIDES.flatMap((stride) => decodeGrid(outputs, gridOf(size, stride), scoreThreshold)),
  };
}

function cellsAt(size: Size, stride: number): number {
  const { columns, rows } = gridOf(size, stride);
  return columns * rows;
}

function hasOutput(signature: ModelSignature, name: string, width: number, cells: number | null): boolean {
  const shape = signature.outputs.find((output) => output.name === name && output.type === 'float32')?.shape;
  if (shape === undefined || shape.length !== 3 || !isOneOrFree(shape[0])) return false;
  return shape[2] === width && (cells === null || fits(shape[1], cells));
}

function decodeGrid(outputs: Outputs, grid: Grid, scoreThreshold: number): Candidate[] {
  const { stride, columns, rows } = grid;
  const classes = outputs.get(`cls_${stride}`).data;
  const objects = outputs.get(`obj_${stride}`).data;
  const boxes = outputs.get(`bbox_${stride}`).data;
  const candidates: Candidate[] = [];
  for (let cell = 0; cell < columns * rows; cell++) {
    const score = (classes[cell] as number) * (objects[cell] as number);
    if (!(score >= scoreThreshold)) continue;
    const x = ((cell % columns) + (boxes[cell * 4] as number)) * stride;
    const y = (Math.floor(cell / columns) + (boxes[cell * 4 + 1] as number)) * stride;
    const halfWidth = (Math.exp(boxes[cell * 4 + 2] as number) * stride) / 2;
    const halfHeight = (Math.exp(boxes[cell * 4 + 3] as number) * stride) / 2;
    candidates.push({ box: [x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight], score, classId: 0 });
  }
  return candidates;
}
