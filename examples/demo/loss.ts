/**
 * How wrong the network's cells are about a frame, and the slope of that for every number of every cell.
 *
 * The cells around the middle of an object answer for it: they should give its class and its box. Cells a little farther
 * out may say its class or not, but should give its box where they do; all others should say nothing. Scores are judged
 * by cross entropy, boxes by how far they are off relative to the box's own size.
 */
import type { FeatureMap } from './convolution.ts';
import { logarithm, sigmoid } from './elementary.ts';
import { BOX_NUMBERS, STRIDE } from './network.ts';
import type { Truth } from './sample.ts';

const POSITIVE_WEIGHT = 0.5;
const BOX_WEIGHT = 1.5;
/** Beyond this error, relative to the box, the slope of the box's loss no longer grows. */
const HUBER = 0.1;

/** How far from the middle a cell may be and still answer: in boxes, and in pixels for large ones. */
const REACH_IN_BOXES = 0.3;
const REACH = 1.25 * STRIDE;
/** Square of how many times farther out a cell may say the class or not. */
const FRINGE = 1.5 * 1.5;

export interface Loss {
  readonly score: number;
  readonly box: number;
}

/** An object near a cell. */
interface Claim {
  readonly truth: Truth;
  /** Square of the distance between their middles, 1 at the end of the object's reach. */
  readonly closeness: number;
  /** Whether the cell answers for the object, if no other is closer. */
  readonly answers: boolean;
}

/**
 * @param cells the network's last map; @param truths in pixels of its input;
 * @param weight what the loss is multiplied with (1 ÷ answering cells of the batch, say);
 * @param slope of the same shape as `cells`: overwritten with the slope of weight × loss.
 */
export function judge(cells: FeatureMap, truths: readonly Truth[], weight: number, slope: FeatureMap): Loss {
  let score = 0;
  let box = 0;
  const size = cells.height * cells.width;
  slope.data.fill(0);
  for (let row = 0; row < cells.height; row++) {
    for (let column = 0; column < cells.width; column++) {
      const cell = row * cells.width + column;
      const claims = claimsOn(truths, (column + 0.5) * STRIDE, (row + 0.5) * STRIDE);
      const [owner] = claims;
      for (let classId = 0; classId < cells.channels - BOX_NUMBERS; classId++) {
        const wanted = owner?.answers === true && owner.truth.classId === classId;
        if (!wanted && claims.some(({ truth }) => truth.classId === classId)) continue;
        score += judgeScore(cells.data, (BOX_NUMBERS + classId) * size + cell, wanted, weight, slope.data);
      }
      if (owner !== undefined) box += judgeBox(cells, column, row, owner.truth, weight, slope.data);
    }
  }
  return { score, box };
}

/** How many cells of a map answer for an object: what losses are divided by. */
export function answeringCells(width: number, height: number, truths: readonly Truth[]): number {
  let count = 0;
  for (let y = STRIDE / 2; y < height; y += STRIDE) {
    for (let x = STRIDE / 2; x < width; x += STRIDE) if (claimsOn(truths, x, y)[0]?.answers === true) count++;
  }
  return count;
}

/** The objects near the cell around (x, y), the closest first. */
function claimsOn(truths: readonly Truth[], x: number, y: number): Claim[] {
  const claims: Claim[] = [];
  for (const truth of truths) {
    const dx = Math.abs(x - (truth.x1 + truth.x2) / 2);
    const dy = Math.abs(y - (truth.y1 + truth.y2) / 2);
    const rx = dx / Math.min(REACH_IN_BOXES * (truth.x2 - truth.x1), REACH);
    const ry = dy / Math.min(REACH_IN_BOXES * (truth.y2 - truth.y1), REACH);
    const closeness = rx * rx + ry * ry;
    const answers = closeness <= 1 || (dx <= STRIDE / 2 && dy <= STRIDE / 2);
    if (answers || closeness <= FRINGE) claims.push({ truth, closeness, answers });
  }
  return claims.sort((a, b) => a.closeness - b.closeness);
}

function judgeScore(logits: Float32Array, at: number, wanted: boolean, weight: number, slope: Float32Array): number {
  // For a class that is not wanted the same formula holds with the logit's sign turned.
  const sign = wanted ? 1 : -1;
  const share = (wanted ? POSITIVE_WEIGHT : 1 - POSITIVE_WEIGHT) * weight;
  const p = Math.max(1e-7, sigmoid(sign * (logits[at] as number)));
  slope[at] = -sign * share * (1 - p);
  return -share * logarithm(p);
}

function judgeBox(
  cells: FeatureMap,
  column: number,
  row: number,
  truth: Truth,
  weight: number,
  slope: Float32Array,
): number {
  const width = (truth.x2 - truth.x1) / STRIDE;
  const height = (truth.y2 - truth.y1) / STRIDE;
  const wanted = [
    (truth.x1 + truth.x2) / 2 / STRIDE - column - 0.5,
    (truth.y1 + truth.y2) / 2 / STRIDE - row - 0.5,
    logarithm(width),
    logarithm(height),
  ];
  const unit = [1 / width, 1 / height, 0.5, 0.5];
  let loss = 0;
  for (let n = 0; n < BOX_NUMBERS; n++) {
    const at = (n * cells.height + row) * cells.width + column;
    const scale = unit[n] as number;
    const off = ((cells.data[at] as number) - (wanted[n] as number)) * scale;
    const far = Math.abs(off) > HUBER;
    loss += far ? Math.abs(off) - HUBER / 2 : (off * off) / (2 * HUBER);
    slope[at] = BOX_WEIGHT * weight * scale * (far ? Math.sign(off) : off / HUBER);
  }
  return BOX_WEIGHT * weight * loss;
}
