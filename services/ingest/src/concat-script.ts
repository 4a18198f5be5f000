/**
 * A URL that ffmpeg reads from standard input and not from its arguments, which every user of the machine can list (I8). Of all that
 * ffmpeg reads, the scripts of its concat demuxer alone take a URL with its options; one with a single URL hands its packets on as they are.
 */

/** What ffmpeg and ffprobe are told in place of the URL. */
export type ConcatScript = {
  /** Before `-i pipe:0`. */
  readonly inputOptions: readonly string[];
  /** For standard input. Secret. */
  readonly text: string;
};

/**
 * Bytes that the inner demuxer may look at before it is read; the outer one looks for as long as it needs. Had the inner one found
 * a start time already, the concat demuxer would take it from every time but the first, which of a camera may have none.
 */
const LEAST_PROBED = 32;
/** The format of what is not RTSP is told by its first bytes, and ffmpeg looks at no fewer. Its times count from the first then: all are moved alike. */
const LEAST_GUESSED = 2_048;

export type ConcatOptions = {
  readonly scheme: string;
  /** That the URL may be opened by: once the script may use `pipe`, ffmpeg uses none that are not named. */
  readonly protocols: readonly string[];
  /** Of the URL, as arguments: `-rtsp_transport`, `tcp`. */
  readonly options: readonly string[];
};

export function concatScript(url: string, { scheme, protocols, options }: ConcatOptions): ConcatScript {
  const probed = scheme.startsWith('rtsp') ? LEAST_PROBED : LEAST_GUESSED;
  const lines = ['ffconcat version 1.0', `file ${quoted(url)}`];
  for (let i = 0; i + 1 < options.length; i += 2) lines.push(`option ${options[i]?.slice(1)} ${options[i + 1]}`);
  lines.push(`option probesize ${probed}`, '');
  return {
    inputOptions: ['-f', 'concat', '-safe', '0', '-protocol_whitelist', ['pipe', ...protocols].join(',')],
    text: lines.join('\n'),
  };
}

/** Within single quotes the script has no escapes, and without them a backslash is one. */
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
