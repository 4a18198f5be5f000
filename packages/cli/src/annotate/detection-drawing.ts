/** Draws detections into a picture: a box in the colour of its class, above it its label and score. */

import { classColour, textColour } from './colour.ts';
import type { Detection } from './detections.ts';
import { drawText, fillRectangle, type Picture, strokeRectangle, textSize } from './drawing.ts';

/** The shorter side of a picture on which a dot of the font is one pixel; on larger ones it grows with them. */
const SIDE_PER_DOT = 240;

export function drawDetections(picture: Picture, detections: readonly Detection[]): void {
  const scale = Math.max(1, Math.round(Math.min(picture.width, picture.height) / SIDE_PER_DOT));
  for (const detection of detections) drawDetection(picture, detection, scale);
}

function drawDetection(picture: Picture, { box, score, label, classId }: Detection, scale: number): void {
  const [x1, y1, x2, y2] = box;
  const colour = classColour(classId, label);
  strokeRectangle(picture, { x: x1, y: y1, width: x2 - x1, height: y2 - y1 }, scale + 1, colour);
  const caption = [label, score?.toFixed(2) ?? ''].filter((part) => part !== '').join(' ');
  if (caption === '') return;
  const text = textSize(caption, scale);
  const tag = { width: text.width + 4 * scale, height: text.height + 4 * scale };
  // Above the box, or within it where there is no room above; never beyond the right edge.
  const x = Math.max(0, Math.min(x1, picture.width - tag.width));
  const y = y1 >= tag.height ? y1 - tag.height : Math.max(0, y1);
  fillRectangle(picture, { x, y, ...tag }, colour);
  drawText(picture, caption, { x: Math.round(x) + 2 * scale, y: Math.round(y) + 2 * scale, scale }, textColour(colour));
}
