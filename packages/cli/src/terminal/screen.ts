/**
 * What the command shows: lines on standard error, below them on a terminal one line of progress that is drawn over. Credentials
 * in URLs are redacted in every line (I8).
 */

import { redactUrl } from '@stream-infer/core/redact-url';

/** As much of a terminal, or of what stands in for one, as is needed. */
export type ScreenOutput = {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
};

export type Screen = {
  /** Whether `progress` shows anything. */
  readonly isTerminal: boolean;
  readonly width: number;
  /** Prints one line for good, above the progress. */
  line(text: string): void;
  /** Replaces the progress. */
  progress(text: string): void;
  /** Removes the progress. */
  clear(): void;
};

const CLEAR_LINE = '\r\u001b[K';
const DEFAULT_WIDTH = 80;

export function createScreen(output: ScreenOutput): Screen {
  const isTerminal = output.isTTY === true;
  let shown = '';
  const clear = (): void => {
    if (shown !== '') output.write(CLEAR_LINE);
    shown = '';
  };
  const progress = (text: string): void => {
    if (!isTerminal || text === shown) return;
    shown = text;
    output.write(`${CLEAR_LINE}${text}`);
  };
  return {
    isTerminal,
    get width() {
      return output.columns || DEFAULT_WIDTH;
    },
    line(text) {
      const before = shown;
      clear();
      output.write(`${redactUrl(text)}\n`);
      progress(before);
    },
    progress,
    clear,
  };
}
