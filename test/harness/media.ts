/** Real models and videos that are no part of the repository; tests that use them skip where STREAM_INFER_MEDIA names none. */

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const folder = process.env.STREAM_INFER_MEDIA;

/** Absolute path of the folder, or undefined. */
export const media: string | undefined = folder !== undefined && existsSync(folder) ? resolve(folder) : undefined;
