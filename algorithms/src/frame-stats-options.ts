/** The options of `frame-stats`. */
import { z } from 'zod';

export const frameStatsOptions = z.strictObject({
  hash: z.boolean().default(false).describe('Whether the result has the SHA-256 of the frame.'),
});

export type FrameStatsOptions = z.output<typeof frameStatsOptions>;
