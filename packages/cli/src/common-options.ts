/** Options that several subcommands take. */

import type { OptionTable } from './option-table.ts';

export const HELP = { help: { type: 'boolean', description: 'Show this.' } } as const satisfies OptionTable;

export const JSON_OPTION = {
  json: { type: 'boolean', description: 'Print one JSON object on standard output instead of text.' },
} as const satisfies OptionTable;

/** How a stream is played. */
export const STREAM_FLAGS = {
  fps: { type: 'string', value: 'N', description: "Play rate, such as 10 or 30000/1001. Default: the source's." },
  width: { type: 'string', value: 'W', description: "Width of the frames in pixels. Default: the source's." },
  height: { type: 'string', value: 'H', description: "Height of the frames in pixels. Default: the source's." },
  'pixel-format': { type: 'string', value: 'F', description: 'bgr24 (default), rgb24, gray or yuv420p.' },
  position: { type: 'string', value: 'S', description: 'Where in a file to start, in seconds.' },
  buffer: { type: 'string', value: 'N', description: 'Played frames that a window may span, or auto (default).' },
  'video-stream': { type: 'string', value: 'N', description: 'Which video stream of the source, from 0 (default).' },
  mode: {
    type: 'string',
    value: 'offline|realtime',
    description:
      'offline: as fast as possible, nothing lost. realtime: at the natural rate. Default: offline for files.',
  },
} as const satisfies OptionTable;
