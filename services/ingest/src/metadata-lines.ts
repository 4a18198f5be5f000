/**
 * Reads what ffmpeg's `metadata=mode=print` writes about each frame that passes it (D4): `frame:12   pts:400   pts_time:0.4`, and a
 * line for the one key that it prints, `i=1`.
 */

export type FrameLine = {
  /** How many frames passed the filter before. */
  readonly index: number;
  /** Presentation time; undefined where the frame has none. */
  readonly ptsTicks: number | undefined;
  /** The key's. */
  readonly value: string;
};

const FRAME = /^frame:(\d+)\s+pts:(-?\d+|NOPTS)/;
const KEY = 'i=';

/** Calls back for every frame of the chunks handed to it. Throws RangeError for a line that begins as one about a frame and is none. */
export function metadataLines(onFrame: (line: FrameLine) => void): (chunk: string) => void {
  let rest = '';
  let frame: Omit<FrameLine, 'value'> | undefined;
  return (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('frame:')) frame = frameOf(line);
      else if (frame && line.startsWith(KEY)) {
        onFrame({ ...frame, value: line.slice(KEY.length) });
        frame = undefined;
      }
    }
  };
}

function frameOf(line: string): Omit<FrameLine, 'value'> {
  const match = FRAME.exec(line);
  if (!match) throw new RangeError(`no line about a frame: ${line}`);
  return { index: Number(match[1]), ptsTicks: match[2] === 'NOPTS' ? undefined : Number(match[2]) };
}
