/**
 * What a stream's source is doing, as the ingest that plays it tells: a state, the reason of its last change, and since when.
 * The closed sets are the vocabulary of status answers, metrics and alerts.
 */

/**
 * `connecting`: opened for the first time. `playing`: frames come. `stalled`: open, and no frame comes. `reconnecting`: lost, and opened
 * again after a wait. `ended`: played to its end. `failed`: nothing more is tried.
 */
export type SourceState = 'connecting' | 'playing' | 'stalled' | 'reconnecting' | 'ended' | 'failed';

export const SOURCE_STATES = [
  'connecting',
  'playing',
  'stalled',
  'reconnecting',
  'ended',
  'failed',
] as const satisfies readonly SourceState[];

/** Why a source is in its state. */
export type SourceReason =
  /** A stream was added, or its ingest started. */
  | 'started'
  /** Frames come. */
  | 'frames'
  | 'refused'
  | 'unauthorized'
  /** Its host, or what its server refers to, has an address now that `sources.allow` does not have. */
  | 'forbidden'
  | 'not-found'
  | 'dns'
  | 'timeout'
  /** What comes cannot be decoded, or ffmpeg ends over it. */
  | 'decode-errors'
  /** The connection is open, and no frame comes. */
  | 'no-frames'
  /** Frames come, and their picture does not change: an alarm, while the source plays on. */
  | 'frozen-picture'
  /** Presentation times leapt, back or far ahead. */
  | 'timestamps-jumped'
  /** Its picture has another size than the run knew of when it was opened. */
  | 'picture-changed'
  /** The source ended the connection, or came to its end. */
  | 'ended'
  /** The bus has no memory left for its buffer. */
  | 'no-room'
  /** The bus lost its buffer, or was away. */
  | 'bus-away'
  /** Another ingest plays the stream from now on. */
  | 'moved'
  /** The stream cannot be played as it is configured. */
  | 'invalid';

/** Times are milliseconds. */
export type SourceCondition = {
  readonly state: SourceState;
  readonly reason: SourceReason;
  /** Since 1970, on the clock of the ingest. */
  readonly sinceMs: number;
};
