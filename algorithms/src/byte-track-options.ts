/** The options of `byte-track`. */
import { z } from 'zod';

const share = (fallback: number) => z.number().min(0).max(1).default(fallback);

export const byteTrackOptions = z
  .strictObject({
    trackThreshold: share(0.5).describe('Boxes with this score or more are matched first, and begin tracks.'),
    lowThreshold: share(0.1).describe('Boxes below this score are not looked at.'),
    matchThreshold: share(0.8).describe('Largest cost of a match, 1 − overlap × score.'),
    trackBuffer: z.int().min(0).max(10_000).default(30).describe('How many pictures a lost object is looked for.'),
    minBoxArea: z.number().min(0).default(10).describe('Smaller boxes are not looked at, in square pixels.'),
  })
  .refine(({ lowThreshold, trackThreshold }) => lowThreshold <= trackThreshold, {
    message: 'must not be above trackThreshold',
    path: ['lowThreshold'],
  });

export type ByteTrackOptions = z.output<typeof byteTrackOptions>;
