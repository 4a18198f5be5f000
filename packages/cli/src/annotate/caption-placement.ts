/** Where captions stand so that each can be read: beside its box, within the picture, and on no caption that stands already. */

import type { Rectangle } from './drawing.ts';

type Size = { readonly width: number; readonly height: number };

/** A caption's size and the corners of its box. */
export type Caption = Size & { readonly box: readonly [number, number, number, number] };

/** How many rows further away are tried; in a crowd beyond that captions do cover each other. */
const MOST_ROWS = 8;

/** A place for each, in their order. The first has its own: above its box, or within it where there is no room above. */
export function placeCaptions(captions: readonly Caption[], picture: Size): readonly Rectangle[] {
  const placed: Rectangle[] = [];
  for (const caption of captions) {
    const places = placesOf(caption, picture);
    const free = places.find((place) => !placed.some((other) => overlap(place, other)));
    placed.push(free ?? (places[0] as Rectangle));
  }
  return placed;
}

/** Nearest first; never beyond the right edge. */
function placesOf({ box: [x1, y1, , y2], width, height }: Caption, picture: Size): readonly Rectangle[] {
  const x = Math.max(0, Math.min(x1, picture.width - width));
  const preferred = y1 >= height ? y1 - height : Math.max(0, y1);
  const rows = Array.from({ length: MOST_ROWS }, (_, row) => row * height);
  const tried = [...rows.map((down) => Math.max(0, y1) + down), y2, ...rows.map((up) => y1 - height - up)];
  const within = tried.filter((y) => y >= 0 && y + height <= picture.height);
  return [preferred, ...within].map((y) => ({ x, y, width, height }));
}

const overlap = (a: Rectangle, b: Rectangle): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
