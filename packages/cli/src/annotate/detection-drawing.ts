/** Draws detections into a picture: a box in the colour of its algorithm and class, beside it its label, its track and its score. */

import { type Caption, placeCaptions } from './caption-placement.ts';
import { type Colour, classColour, textColour } from './colour.ts';
import type { Detection } from './detections.ts';
import { drawText, fillRectangle, type Picture, strokeRectangle, textSize } from './drawing.ts';

/** The shorter side of a picture on which a dot of the font is one pixel; on larger ones it grows with them. */
const SIDE_PER_DOT = 240;

/** A detection and the place of its algorithm among those of the stream, from 0: it has colours of its own. */
export type RankedDetection = Detection & { readonly rank: number };

/** All boxes, then their captions, so that no box is drawn across one. */
export function drawDetections(picture: Picture, detections: readonly RankedDetection[]): void {
  const scale = Math.max(1, Math.round(Math.min(picture.width, picture.height) / SIDE_PER_DOT));
  for (const { box, classId, label, rank } of detections) {
    const [x1, y1, x2, y2] = box;
    const outline = { x: x1, y: y1, width: x2 - x1, height: y2 - y1 };
    strokeRectangle(picture, outline, scale + 1, classColour(classId, label, rank));
  }
  const captions = detections.flatMap((detection) => captionOf(detection, scale));
  for (const [index, tag] of placeCaptions(captions, picture).entries()) {
    const { text, colour } = captions[index] as DrawnCaption;
    fillRectangle(picture, tag, colour);
    const place = { x: Math.round(tag.x) + 2 * scale, y: Math.round(tag.y) + 2 * scale, scale };
    drawText(picture, text, place, textColour(colour));
  }
}

type DrawnCaption = Caption & { readonly text: string; readonly colour: Colour };

function captionOf(
  { box, score, label, classId, trackId, rank }: RankedDetection,
  scale: number,
): readonly DrawnCaption[] {
  const track = trackId === undefined ? '' : `#${trackId}`;
  const text = [label, track, score?.toFixed(2) ?? ''].filter((part) => part !== '').join(' ');
  if (text === '') return [];
  const size = textSize(text, scale);
  const colour = classColour(classId, label, rank);
  return [{ box, text, colour, width: size.width + 4 * scale, height: size.height + 4 * scale }];
}
