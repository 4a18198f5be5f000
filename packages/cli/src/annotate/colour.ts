/** A colour for each class of each algorithm, the same in every picture, neighbours far apart. */

/** 0 to 255 each. */
export type Colour = readonly [red: number, green: number, blue: number];

export const BLACK: Colour = [0, 0, 0];
export const WHITE: Colour = [255, 255, 255];

/** Turns of the colour circle between one class and the next: the golden ratio never comes near where it has been. */
const TURN = (Math.sqrt(5) - 1) / 2;
/** From one algorithm to the next; no multiple of the other, so that no class of one has the colour of another's. */
const RANK_TURN = Math.SQRT2 - 1;
/** Of each channel, so that no colour is dark. */
const PALEST = 48;
const FNV_OFFSET = 2_166_136_261;
const FNV_PRIME = 16_777_619;

/** By the number of the class, else by its label. @param rank place of its algorithm among those of the stream. */
export function classColour(classId: number | undefined, label: string, rank: number): Colour {
  return hue(((classId ?? hash(label)) * TURN + rank * RANK_TURN) % 1);
}

function hash(text: string): number {
  let value = FNV_OFFSET;
  for (const letter of text) value = Math.imul(value ^ (letter.codePointAt(0) ?? 0), FNV_PRIME) >>> 0;
  return value % 4_096;
}

/** A full, light colour of this place on the colour circle, 0 to 1. */
function hue(turn: number): Colour {
  const channel = (shift: number): number => {
    const distance = Math.abs(((((turn + shift) % 1) + 1) % 1) - 0.5) * 6 - 1;
    return Math.round(PALEST + (255 - PALEST) * Math.min(1, Math.max(0, distance)));
  };
  return [channel(0), channel(2 / 3), channel(1 / 3)];
}

/** Black or white, whichever is read better on this colour. */
export function textColour([red, green, blue]: Colour): Colour {
  return 0.299 * red + 0.587 * green + 0.114 * blue > 140 ? BLACK : WHITE;
}
