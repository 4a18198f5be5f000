/**
 * The one error class of the product. A fault has a code from a closed set, a one-line message that names the culprit
 * and what to do, and the exit status that the command ends with when the fault ends a run. docs/faults.md lists every
 * code with its description, generated from the table below.
 */

/** Exit status of the command: 1 the run had faults, 2 usage or configuration, 3 source, 4 environment. */
export type ExitStatus = 1 | 2 | 3 | 4;

type FaultDescription = { readonly exitStatus: ExitStatus; readonly description: string };

export const FAULTS = {
  USAGE: { exitStatus: 2, description: 'The command line asks for something that does not exist or lacks a value.' },
  CONFIG_NOT_FOUND: { exitStatus: 2, description: 'The configuration file cannot be read.' },
  CONFIG_SYNTAX: { exitStatus: 2, description: 'The configuration file is not valid YAML.' },
  CONFIG_UNKNOWN_KEY: {
    exitStatus: 2,
    description: 'A key of the configuration does not exist; the nearest known one is named.',
  },
  CONFIG_INVALID: {
    exitStatus: 2,
    description: 'A value of the configuration has the wrong type or is out of its range.',
  },
  CONFIG_DUPLICATE_NAME: { exitStatus: 2, description: 'Two algorithms or two streams have the same name.' },
  CONFIG_UNKNOWN_ALGORITHM: {
    exitStatus: 2,
    description: 'A stream lists an algorithm that the configuration does not define.',
  },
  RESUME_REFUSED: {
    exitStatus: 2,
    description: 'The data folder holds another run than the one to go on with, or one that is to be gone on with.',
  },
  INTERVAL_TOO_SHORT: {
    exitStatus: 2,
    description: 'An interval is shorter than one played frame, so nothing would ever be due.',
  },
  WINDOW_EXCEEDS_BUFFER: {
    exitStatus: 2,
    description: 'A window spans more frames than the buffer holds, so it would never run.',
  },
  SIZE_ODD: { exitStatus: 2, description: 'yuv420p needs an even width and height.' },
  SIZE_TOO_LARGE: {
    exitStatus: 2,
    description: 'A frame of the size asked for does not fit into one message of the bus.',
  },
  MODEL_NOT_FOUND: { exitStatus: 2, description: 'The model file does not exist.' },
  MODEL_CORRUPT: { exitStatus: 2, description: 'The model file is not an ONNX model that the runtime can load.' },
  MODEL_SHAPE: { exitStatus: 2, description: 'The inputs or outputs of the model are not what its family reads.' },
  GPU_UNAVAILABLE: {
    exitStatus: 4,
    description: 'A model does not load on the GPU that it is to run on, and the runner is told to require it.',
  },
  GPU_FALLBACK: {
    exitStatus: 1,
    description: 'A model that is to run on a GPU runs on the CPU, since no GPU can be had.',
  },
  MODULE_NOT_FOUND: { exitStatus: 2, description: 'The module of an algorithm does not exist, or is no module.' },
  MODULE_BROKEN: {
    exitStatus: 2,
    description:
      'The module of an algorithm does not load: it has a syntax error, imports what is not there, or throws at its top.',
  },
  MODULE_NO_DEFAULT_EXPORT: {
    exitStatus: 2,
    description: 'The module of an algorithm does not export a class as its default with a run method.',
  },
  ALGORITHM_OPTIONS: { exitStatus: 2, description: 'The options of an algorithm are not what it takes.' },
  BATCH_UNSUPPORTED: {
    exitStatus: 2,
    description: 'maxBatch is more than 1, and the algorithm or its model takes one window at a time.',
  },
  ALGORITHM_INIT_FAILED: { exitStatus: 2, description: 'The init method of an algorithm threw.' },
  ALGORITHM_FAILED: {
    exitStatus: 1,
    description: 'The run method of an algorithm threw; that window has an error result.',
  },
  ALGORITHM_TIMEOUT: {
    exitStatus: 1,
    description: 'The run method of an algorithm overran its timeoutMs; that window has an error result.',
  },
  ALGORITHM_NEVER_SUCCEEDED: { exitStatus: 1, description: 'Every invocation of an algorithm failed.' },
  RESULT_NOT_JSON: {
    exitStatus: 1,
    description: 'An algorithm returned what JSON cannot hold; that window has an error result.',
  },
  RESULT_TOO_LARGE: {
    exitStatus: 1,
    description: 'An algorithm returned more than 1 MiB of JSON; that window has an error result.',
  },
  NOT_STARTED: {
    exitStatus: 1,
    description:
      'A runner gave an invocation back before it started: it was cancelled, it became stale, or the runner drains.',
  },
  UPSTREAM_FAILED: {
    exitStatus: 1,
    description: 'An algorithm that this one comes after has an error result for the window.',
  },
  STATE_LOST: {
    exitStatus: 1,
    description:
      'What an algorithm with memory remembered of its stream is gone with its runner, and neither a snapshot nor playing the stream again brings it back.',
  },
  FRAME_GONE: { exitStatus: 1, description: 'A frame left the buffer before the runner fetched it.' },
  FRAME_MISMATCH: { exitStatus: 1, description: 'A reference led to a frame of another run or number.' },
  RUNNER_LOST: { exitStatus: 1, description: 'The runner died or became unreachable while it held the invocation.' },
  DEAD_LETTER_NOT_FOUND: { exitStatus: 2, description: 'There is no dead letter of that id, or no more.' },
  REPLAY_IMPOSSIBLE: {
    exitStatus: 2,
    description: 'A dead letter cannot be replayed: the frames of its window cannot be had again.',
  },
  SOURCE_NOT_FOUND: { exitStatus: 3, description: 'The source file or folder does not exist.' },
  SOURCE_NO_VIDEOS: { exitStatus: 3, description: 'The folder or glob holds no video file.' },
  SOURCE_EMPTY: { exitStatus: 3, description: 'The source file has no bytes.' },
  SOURCE_NOT_MEDIA: { exitStatus: 3, description: 'The source is not a format that ffmpeg reads.' },
  SOURCE_NO_VIDEO: { exitStatus: 3, description: 'The source has no video stream, or not the one asked for.' },
  SOURCE_NO_FRAMES: { exitStatus: 3, description: 'The source has a video stream of which no frame can be decoded.' },
  SOURCE_DAMAGED: {
    exitStatus: 1,
    description: 'Part of the source could not be decoded; the frames that could are numbered without it.',
  },
  SOURCE_FORBIDDEN: {
    exitStatus: 3,
    description: 'The source is nothing that `sources.allow` of the configuration has.',
  },
  SOURCE_UNREACHABLE: { exitStatus: 3, description: 'The source URL or device does not answer.' },
  SOURCE_UNAUTHORIZED: { exitStatus: 3, description: 'The source refuses the credentials.' },
  SOURCE_LOST: { exitStatus: 3, description: 'The decoder of a source ended before the source did.' },
  SOURCE_POSITION: { exitStatus: 3, description: 'The start position lies beyond the end of the source.' },
  UNKNOWN_STREAM: { exitStatus: 2, description: 'No stream of that id is registered.' },
  STREAM_EXISTS: { exitStatus: 2, description: 'A stream of that id is registered already, or by another owner.' },
  STREAM_CHANGED: { exitStatus: 2, description: 'Another has written a stream since it was read.' },
  API_UNREACHABLE: { exitStatus: 4, description: 'No API of stream-infer answers at the URL.' },
  API_FAILED: { exitStatus: 4, description: 'The API could not do what it was asked to.' },
  API_UNAUTHORIZED: {
    exitStatus: 4,
    description: 'The API needs a token, does not know the one it was given, or its role does not allow what is asked.',
  },
  DATA_IN_USE: {
    exitStatus: 4,
    description:
      'Another stream-infer up works in the same data folder, or services run whose streams and buckets are to be removed.',
  },
  FETCH_FAILED: { exitStatus: 4, description: 'A file that is to be fetched cannot be had from its URL.' },
  FETCH_MISMATCH: { exitStatus: 2, description: 'A file that was fetched is not the one that its checksum says.' },
  OUTPUT_UNWRITABLE: { exitStatus: 4, description: 'An output file cannot be written.' },
  PORT_IN_USE: { exitStatus: 4, description: 'A port that a service is told to listen on is taken.' },
  NATS_SERVER_MISSING: { exitStatus: 4, description: 'There is no nats-server on the PATH.' },
  NATS_SERVER_TOO_OLD: { exitStatus: 4, description: 'nats-server is older than 2.9.' },
  NATS_UNREACHABLE: { exitStatus: 4, description: 'The NATS server does not answer.' },
  NATS_UNAUTHORIZED: { exitStatus: 4, description: 'The NATS server refuses the credentials.' },
  NATS_FORBIDDEN: {
    exitStatus: 4,
    description: 'The NATS server forbids a subject: its user lacks a permission of the service.',
  },
  TLS_REFUSED: {
    exitStatus: 4,
    description:
      'A TLS connection did not come about: a certificate is not trusted, has another name or is out of date, or ours is refused.',
  },
  CREDENTIALS_INVALID: {
    exitStatus: 2,
    description:
      'A file of credentials, certificates, keys or tokens cannot be read or is not what it is to be, or two of them exclude each other.',
  },
  FFMPEG_MISSING: { exitStatus: 4, description: 'There is no ffmpeg or ffprobe on the PATH.' },
  FFMPEG_TOO_OLD: { exitStatus: 4, description: 'ffmpeg is older than 5.1.' },
  NODE_TOO_OLD: { exitStatus: 4, description: 'Node.js is older than 24.' },
  BUS_NO_ROOM: { exitStatus: 4, description: 'The bus has no memory left for the buffer of a stream.' },
  BUS_FAILED: { exitStatus: 4, description: 'The bus refused or lost an operation for good.' },
  PROTOCOL_BROKEN: {
    exitStatus: 1,
    description:
      'A message or value on the bus, or an answer of a runner, is not what the protocol says; it is ignored, and what it stands in the way of goes on without it.',
  },
  STORE_FAILED: { exitStatus: 4, description: 'The result store cannot be opened or written.' },
  STORE_UNREACHABLE: {
    exitStatus: 4,
    description:
      'The database of the results does not answer, starts or stops, is read-only, or takes no more connections; the collector goes on asking.',
  },
  STORE_UNAUTHORIZED: {
    exitStatus: 4,
    description: 'The database of the results refuses the credentials, or its user lacks a right.',
  },
  STORE_FULL: { exitStatus: 4, description: 'The database of the results has no room for more of them.' },
  THREAD_REFUSED: {
    exitStatus: 4,
    description:
      'The system starts no more threads for a runner: the processes of its container, or its user, are at their limit.',
  },
  SERVICE_DIED: { exitStatus: 4, description: 'A service of the run ended unasked.' },
  INTERNAL: { exitStatus: 4, description: 'A defect of stream-infer itself.' },
} as const satisfies Record<string, FaultDescription>;

export type FaultCode = keyof typeof FAULTS;

export const isFaultCode = (code: string): code is FaultCode => Object.hasOwn(FAULTS, code);

/** An error whose `code` is of the closed set and whose `message` is one line that says what, where and what to do. */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: FaultCode;
  /** What a terminal shows below the message, its lines as they are: the place in a text. The message says all without it. */
  readonly excerpt: string | undefined;

  constructor(code: FaultCode, message: string, options?: { cause?: unknown; excerpt?: string | undefined }) {
    super(message.replace(/\s*[\r\n]+\s*/g, ' ').trim(), options);
    this.code = code;
    this.excerpt = options?.excerpt;
  }

  get exitStatus(): ExitStatus {
    return FAULTS[this.code].exitStatus;
  }

  /** `CODE: message`, as it is printed. */
  override toString(): string {
    return `${this.code}: ${this.message}`;
  }
}

/** What was thrown as a fault: itself where it is one, else wrapped under `code` with its message kept. */
export function toFault(thrown: unknown, code: FaultCode = 'INTERNAL', where?: string): Fault {
  if (thrown instanceof Fault) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new Fault(code, where === undefined ? message : `${where}: ${message}`, { cause: thrown });
}

/** A fault as it travels in messages and records. */
export type FaultJson = { readonly code: FaultCode; readonly message: string };

export const faultJson = (fault: Fault): FaultJson => ({ code: fault.code, message: fault.message });
