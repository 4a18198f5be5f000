/** Colours as three numbers, red, green and blue, 0 to 1. */

export type Rgb = readonly [red: number, green: number, blue: number];

/** @param hue in turns (0 and 1 are red); @param saturation 0 grey to 1; @param value 0 black to 1. */
export function fromHue(hue: number, saturation: number, value: number): Rgb {
  const channel = (offset: number): number => {
    const k = (((hue * 6 + offset) % 6) + 6) % 6;
    return value * (1 - saturation * Math.max(0, Math.min(k, 4 - k, 1)));
  };
  return [channel(5), channel(3), channel(1)];
}

/** How far apart two colours are: the mean difference per channel, 0 to 1. */
export function contrast(a: Rgb, b: Rgb): number {
  return (Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1]) + Math.abs(a[2] - b[2])) / 3;
}
