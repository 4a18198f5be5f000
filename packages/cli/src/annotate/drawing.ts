/** Rectangles and text drawn into a picture of packed rgb24. Whatever lies outside of the picture is left out. */

import type { Colour } from './colour.ts';
import { GLYPH_HEIGHT, GLYPH_WIDTH, glyphsOf } from './font.ts';

export type Picture = {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** Bytes from one row to the next. */
  readonly stride: number;
};

export type Rectangle = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

const BYTES_PER_PIXEL = 3;

/** Coordinates are rounded to whole pixels. */
export function fillRectangle(picture: Picture, rectangle: Rectangle, [red, green, blue]: Colour): void {
  const { data, width, height, stride } = picture;
  const left = clamp(Math.round(rectangle.x), width);
  const right = clamp(Math.round(rectangle.x + rectangle.width), width);
  const top = clamp(Math.round(rectangle.y), height);
  const bottom = clamp(Math.round(rectangle.y + rectangle.height), height);
  for (let y = top; y < bottom; y += 1) {
    const end = y * stride + right * BYTES_PER_PIXEL;
    for (let at = y * stride + left * BYTES_PER_PIXEL; at < end; at += BYTES_PER_PIXEL) {
      data[at] = red;
      data[at + 1] = green;
      data[at + 2] = blue;
    }
  }
}

/** The outline of a rectangle, its lines inside of it. */
export function strokeRectangle(picture: Picture, rectangle: Rectangle, thickness: number, colour: Colour): void {
  const { x, y, width, height } = rectangle;
  const line = Math.min(thickness, width / 2, height / 2);
  fillRectangle(picture, { x, y, width, height: line }, colour);
  fillRectangle(picture, { x, y: y + height - line, width, height: line }, colour);
  fillRectangle(picture, { x, y, width: line, height }, colour);
  fillRectangle(picture, { x: x + width - line, y, width: line, height }, colour);
}

/** Pixels that a text takes at a scale: one dot of the font is scale × scale pixels, with a dot between letters. */
export const textSize = (text: string, scale: number): { readonly width: number; readonly height: number } => ({
  width: Math.max(0, glyphsOf(text).length * (GLYPH_WIDTH + 1) - 1) * scale,
  height: GLYPH_HEIGHT * scale,
});

/** Draws a text with its upper left corner at (x, y). */
export function drawText(
  picture: Picture,
  text: string,
  place: { x: number; y: number; scale: number },
  colour: Colour,
): void {
  const { x, y, scale } = place;
  for (const [index, glyph] of glyphsOf(text).entries()) {
    const left = x + index * (GLYPH_WIDTH + 1) * scale;
    for (const [row, dots] of glyph.entries()) {
      for (let column = 0; column < GLYPH_WIDTH; column += 1) {
        if (((dots >> (GLYPH_WIDTH - 1 - column)) & 1) === 0) continue;
        fillRectangle(picture, { x: left + column * scale, y: y + row * scale, width: scale, height: scale }, colour);
      }
    }
  }
}

const clamp = (value: number, most: number): number => Math.min(most, Math.max(0, value));
