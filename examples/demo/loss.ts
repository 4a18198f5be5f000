/**
 * How wrong the network's cells are about a frame, and the slope of that for every number of every cell.
 *
 * The cells around the middle of an object answer for it: they should give its class and its box. Cells farther out but
 * still on it may say its class or not; all others should say nothing. Scores are judged by cross entropy, boxes by how far
 * they are off relative to the box's own size.
 */
import type { FeatureMap } from './convolution.ts';
import { logarithm, sigmoid } from './elementary.ts';
import { BOX_NUMBERS, STRIDE } from './network.ts';
import type { Truth } from './sample.ts';

const POSITIVE_WEIGHT = 0.5;
const BOX_WEIGHT = 1.5;
/** Beyond this error, relative to the box, the slope of the box's loss no longer grows. */
const HUBER = 0.1;

/** How far from the middle, in pixels, a cell of a large object may be and still answer for it. */
const REACH = 1.25 * STRIDE;

export interface Loss {
  score: number;
  box: number;
  /** Cells that answer for an object. */
  cells: number;
}

/** An object's claim on a cell: the smaller `closeness`, the more it is the cell's own. */
interface Claim {
  readonly truth: Truth;
  readonly closeness: number;
}

/**
 * @param cells the network's last map; @param truths in pixels of its input;
 * @param weight what the loss is multiplied with (1 ÷ answering cells of the batch, say);
 * @param slope of the same shape as `cells`: overwritten with the slope of weight × loss.
 */
export function judge(cells: FeatureMap, truths: readonly Truth[], weight: number, slope: FeatureMap): Loss {
  const loss: Loss = { score: 0, box: 0, cells: 0 };
  const size = cells.height * cells.width;
  const classes = cells.channels - BOX_NUMBERS;
  for (let row = 0; row < cells.height; row++) {
    for (let column = 0; column < cells.width; column++) {
      const cell = row * cells.width + column;
      const x = (column + 0.5) * STRIDE;
      const y = (row + 0.5) * STRIDE;
      const owner = ownerOf(truths, x, y);
      for (let c = 0; c < classes; c++) {
        const at = (BOX_NUMBERS + c) * size + cell;
        const mine = owner?.truth.classId === c;
        if (!mine && truths.some((truth) => truth.classId === c && spread(truth, x, y) < 1)) {
          slope.data[at] = 0;
          continue;
        }
        loss.score += judgeScore(cells.data, at, mine, weight, slope.data);
      }
      if (owner === undefined) {
        for (let n = 0; n < BOX_NUMBERS; n++) slope.data[n * size + cell] = 0;
      } else {
        loss.cells++;
        loss.box += judgeBox(cells.data, size, cell, column, row, owner.truth, weight, slope.data);
      }
    }
  }
  return loss;
}

/** How many cells of a map would answer for an object: what losses are divided by. */
export function answeringCells(width: number, height: number, truths: readonly Truth[]): number {
  let count = 0;
  for (let y = STRIDE / 2; y < height; y += STRIDE) {
    for (let x = STRIDE / 2; x < width; x += STRIDE) if (ownerOf(truths, x, y) !== undefined) count++;
  }
  return count;
}

/** The object that the cell around (x, y) answers for. */
function ownerOf(truths: readonly Truth[], x: number, y: number): Claim | undefined {
  let best: Claim | undefined;
  for (const truth of truths) {
    const dx = Math.abs(x - (truth.x1 + truth.x2) / 2);
    const dy = Math.abs(y - (truth.y1 + truth.y2) / 2);
    const holdsMiddle = dx <= STRIDE / 2 && dy <= STRIDE / 2;
    const rx = Math.min(0.3 * (truth.x2 - truth.x1), REACH);
    const ry = Math.min(0.3 * (truth.y2 - truth.y1), REACH);
    const closeness = (dx / rx) * (dx / rx) + (dy / ry) * (dy / ry);
    if (!holdsMiddle && closeness > 1) continue;
    if (best === undefined || closeness < best.closeness) best = { truth, closeness };
  }
  return best;
}

/** Below 1 on the inner part of an object's box. */
function spread(truth: Truth, x: number, y: number): number {
  const dx = (x - (truth.x1 + truth.x2) / 2) / (0.4 * (truth.x2 - truth.x1));
  const dy = (y - (truth.y1 + truth.y2) / 2) / (0.4 * (truth.y2 - truth.y1));
  return dx * dx + dy * dy;
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
  cells: Float32Array,
  size: number,
  cell: number,
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
    const at = n * size + cell;
    const scale = unit[n] as number;
    const off = ((cells[at] as number) - (wanted[n] as number)) * scale;
    const far = Math.abs(off) > HUBER;
    loss += far ? Math.abs(off) - HUBER / 2 : (off * off) / (2 * HUBER);
    slope[at] = BOX_WEIGHT * weight * scale * (far ? Math.sign(off) : off / HUBER);
  }
  return BOX_WEIGHT * weight * loss;
}
