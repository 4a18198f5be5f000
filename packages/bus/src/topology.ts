/**
 * Every subject, stream, consumer and bucket of the bus, and why each is as it is. No other file names one.
 *
 * | what                                     | kind                      | holds                                            |
 * |------------------------------------------|---------------------------|--------------------------------------------------|
 * | `FRAMES_<stream>_<epoch>`                | memory stream             | the frame buffer of one epoch (D2, EX-1)         |
 * | `frames.<stream>.<epoch>`                | its one subject           | frames in order, last the end marker             |
 * | `headers.<replica>.<stream>.<epoch>`     | deliver subject           | the same without bytes, for one scheduler (EX-5) |
 * | `released.<stream>`                      | core subject              | what the scheduler no longer needs (EX-2)        |
 * | `status.<stream>`                        | core subject              | how far a source has played, a few times a second |
 * | `rewind.<stream>`                        | core subject              | frames of an epoch are gone: open the next (EX-4) |
 * | `lanes.<stream>`                         | core subject              | how its algorithms are getting on, once a second |
 * | `RESULTS`                                | file stream               | every result and run end, until stored (EX-7)    |
 * | `results.<stream>.<run>.<algorithm>`     | subject of RESULTS        | results in trigger order, each once (EX-6)       |
 * | `ends.<stream>.<run>`                    | subject of RESULTS        | the run's end, after all of its results          |
 * | `DEAD_LETTERS`                           | file stream               | invocations that failed for good, the newest     |
 * | `dead-letters.<stream>.<run>.<algorithm>` | its subjects             | in trigger order, each once                      |
 * | `results.….replay.<n>`                   | subject of RESULTS        | the success of a window that had failed (EX-6)   |
 * | `replays.<replay>.<n>`, `.end`           | subjects of DEAD_LETTERS  | what else is told of a replay, until it was read |
 * | `streams`, `runs`, `runners`             | KV buckets                | specs; runs; who serves what                     |
 * | `members`                                | KV bucket                 | ingests and schedulers, and that they live (D11) |
 * | `assignments`                            | KV bucket                 | which scheduler follows which stream (D11)       |
 * | `snapshots`                              | KV bucket                 | what algorithms with memory remember (EX-9)      |
 * | `inbox.<client>.…`                       | core subject              | replies; each kind of client reads its own       |
 * | `costs`                                  | KV bucket                 | what a window of an algorithm costs (D10)        |
 *
 * All carry a prefix, so that installations share a server: stream and bucket names in capitals or as `<prefix>_name`,
 * subjects as `<prefix>.name`.
 */

export type Topology = ReturnType<typeof createTopology>;

/** @param prefix letters, digits, `_` and `-`; the default is `stream-infer`. */
export function createTopology(prefix: string) {
  const stream = (name: string): string => `${prefix}_${name}`;
  const subject = (...tokens: (string | number)[]): string => [prefix, ...tokens].join('.');
  const buckets = {
    streams: stream('streams'),
    runs: stream('runs'),
    runners: stream('runners'),
    members: stream('members'),
    assignments: stream('assignments'),
    snapshots: stream('snapshots'),
    costs: stream('costs'),
  } as const;
  const resultsStream = stream('RESULTS');
  const deadLettersStream = stream('DEAD_LETTERS');
  const fixedStreams = [resultsStream, deadLettersStream, ...Object.values(buckets).map(bucketStream)];
  return {
    prefix,
    buckets,
    /** All but frame buffers, which come and go. */
    fixedStreams,
    /** Begins the subjects of replies, which nobody but this kind of client may read. */
    inboxPrefix: (client: string): string => subject('inbox', client),
    snapshotKey: (id: string, run: string, algorithm: string): string => [id, run, algorithm].join('.'),
    framesStream: (id: string, epoch: number): string => stream(`FRAMES_${id}_${epoch}`),
    /** Whose frame buffer a JetStream stream is; undefined where it is none. */
    streamOfFrames(name: string): string | undefined {
      const before = stream('FRAMES_');
      return name.startsWith(before) ? /^(.+)_\d+$/.exec(name.slice(before.length))?.[1] : undefined;
    },
    /**
     * Whether a JetStream stream is this installation's: by its name, and a frame buffer by its subjects too, for another's prefix may begin
     * as this one does.
     */
    owns(name: string, subjects: readonly string[]): boolean {
      if (fixedStreams.includes(name)) return true;
      const frames = subject('frames', '');
      return (
        name.startsWith(stream('FRAMES_')) && subjects.length > 0 && subjects.every((each) => each.startsWith(frames))
      );
    },
    framesSubject: (id: string, epoch: number): string => subject('frames', id, epoch),
    headersSubject: (replica: string, id: string, epoch: number): string => subject('headers', replica, id, epoch),
    releasedSubject: (id: string): string => subject('released', id),
    statusSubject: (id: string): string => subject('status', id),
    rewindSubject: (id: string): string => subject('rewind', id),
    lanesSubject: (id: string): string => subject('lanes', id),
    resultsStream,
    resultsStreamSubjects: [subject('results', '>'), subject('ends', '>')],
    resultSubject: (id: string, run: string, algorithm: string): string => subject('results', id, run, algorithm),
    endSubject: (id: string, run: string): string => subject('ends', id, run),
    isEndSubject: (text: string): boolean => text.startsWith(subject('ends', '')),
    /** Whose end stands there; undefined where it is no such subject. */
    runOfEnd(text: string): { readonly stream: string; readonly run: string } | undefined {
      const before = subject('ends', '');
      const [stream, run, ...more] = text.startsWith(before) ? text.slice(before.length).split('.') : [];
      return stream && run && more.length === 0 ? { stream, run } : undefined;
    },
    /** The results of a run's algorithms, without those of replays. */
    anyResultOf: (id: string, run: string): string => subject('results', id, run, '*'),
    /** What begins the subjects of the results of the run that ends there. */
    resultSubjectsOfEnd: (text: string): string => `${subject('results', text.slice(subject('ends', '').length))}.`,
    deadLettersStream,
    deadLettersStreamSubjects: [subject('dead-letters', '>'), subject('replays', '>')],
    deadLetterSubject: (id: string, run: string, algorithm: string): string =>
      subject('dead-letters', id, run, algorithm),
    anyDeadLetterSubject: subject('dead-letters', '>'),
    replayedSubject: (id: string, run: string, algorithm: string, n: number): string =>
      subject('results', id, run, algorithm, 'replay', n),
    replayFailureSubject: (replay: string, n: number): string => subject('replays', replay, n),
    replayEndSubject: (replay: string): string => subject('replays', replay, 'end'),
    anyReplaySubject: (replay: string): string => subject('replays', replay, '>'),
    collectorDurable: 'collector',
    /** Where a pull consumer is asked for messages: the server's own protocol. */
    nextMessagesSubject: (jetstream: string, consumer: string): string =>
      `$JS.API.CONSUMER.MSG.NEXT.${jetstream}.${consumer}`,
    /** Of kinds of message, whatever the stream. */
    anyFrame: subject('frames', '*', '*'),
    anyHeaders: subject('headers', '>'),
    anyReleased: subject('released', '*'),
    anyStatus: subject('status', '*'),
    anyRewind: subject('rewind', '*'),
    anyLanes: subject('lanes', '*'),
    anyResult: subject('results', '>'),
    anyEnd: subject('ends', '>'),
    anyReplayEnd: subject('replays', '*', 'end'),
  } as const;
}

/** The stream in which the server keeps a KV bucket, and what stands before a key in the subject of an entry. */
export const bucketStream = (bucket: string): string => `KV_${bucket}`;
export const bucketSubjectPrefix = (bucket: string): string => `$KV.${bucket}.`;

/** Where one message of a stream is asked for: the server's own protocol. */
export const directGetSubject = (jetstream: string): string => `$JS.API.DIRECT.GET.${jetstream}`;

/** Where the server is asked, by what for, of a stream or `*`: its own protocol, as permissions name it. */
export const JETSTREAM_REQUESTS = {
  createStream: (jetstream: string) => `$JS.API.STREAM.CREATE.${jetstream}`,
  streamInfo: (jetstream: string) => `$JS.API.STREAM.INFO.${jetstream}`,
  deleteStream: (jetstream: string) => `$JS.API.STREAM.DELETE.${jetstream}`,
  purgeStream: (jetstream: string) => `$JS.API.STREAM.PURGE.${jetstream}`,
  deleteMessage: (jetstream: string) => `$JS.API.STREAM.MSG.DELETE.${jetstream}`,
  directGet: directGetSubject,
  directGetOfSubject: (jetstream: string) => `$JS.API.DIRECT.GET.${jetstream}.>`,
  createConsumer: (jetstream: string) => `$JS.API.CONSUMER.CREATE.${jetstream}`,
  createNamedConsumer: (jetstream: string) => `$JS.API.CONSUMER.CREATE.${jetstream}.>`,
  deleteConsumer: (jetstream: string) => `$JS.API.CONSUMER.DELETE.${jetstream}.*`,
  consumerInfo: (jetstream: string) => `$JS.API.CONSUMER.INFO.${jetstream}.*`,
  listConsumers: (jetstream: string) => `$JS.API.CONSUMER.LIST.${jetstream}`,
  /** A push consumer asks whether its messages arrive. */
  flowControl: (jetstream: string) => `$JS.FC.${jetstream}.>`,
} as const;

export type JetstreamRequest = keyof typeof JETSTREAM_REQUESTS;

/** What the account may use, and what its streams are. */
export const ACCOUNT_INFO = '$JS.API.INFO';
export const STREAM_LIST = '$JS.API.STREAM.LIST';

/** Where a named consumer of a stream is made, asked and acknowledged; servers that know of domains put two tokens before the stream. */
export const durableSubjects = (jetstream: string, consumer: string): readonly string[] => [
  `$JS.API.CONSUMER.CREATE.${jetstream}.${consumer}`,
  `$JS.API.CONSUMER.DURABLE.CREATE.${jetstream}.${consumer}`,
  `$JS.API.CONSUMER.DELETE.${jetstream}.${consumer}`,
  `$JS.API.CONSUMER.MSG.NEXT.${jetstream}.${consumer}`,
  `$JS.ACK.${jetstream}.${consumer}.>`,
  `$JS.ACK.*.*.${jetstream}.${consumer}.>`,
];
