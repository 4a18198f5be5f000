/**
 * Reads what ffmpeg's `metadata=mode=print` writes about each frame that passes it (D4): `frame:12   pts:400   pts_time:0.4`, and a
 * line for the one key that it prints.
 */

export type FrameLine = {
  /** How many frames passed the filter before. */
  readonly index: number;
  /** Presentation time; undefined where the frame has none. */
  readonly ptsTicks: number | undefined;
};

const FRAME = /^frame:(\d+)\s+pts:(-?\d+|NOPTS)/;

/** Calls back for every whole line of the chunks handed to it. Throws RangeError for a line that begins as one and is none. */
export function metadataLines(onFrame: (line: FrameLine) => void): (chunk: string) => void {
  let rest = '';
  return (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('frame:')) continue;
      const match = FRAME.exec(line);
      if (!match) throw new RangeError(`no line about a frame: ${line}`);
      onFrame({ index: Number(match[1]), ptsTicks: match[2] === 'NOPTS' ? undefined : Number(match[2]) });
    }
  };
}
