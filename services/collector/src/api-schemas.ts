/** The shapes of the API: what requests may hold, what answers hold. The OpenAPI document is made of them. */

import { NAME, OWNER } from '@stream-infer/core/names';
import { SOURCE_STATES } from '@stream-infer/core/source-state';
import { streamDefinitionJsonSchema } from '@stream-infer/core/stream-definition';
import { API_ERRORS, REFUSING_FAULTS } from './api-error.ts';
import { IF_MATCH_PATTERN, IF_NONE_MATCH_PATTERN } from './precondition.ts';
import { CURSOR_PATTERN } from './record-cursor.ts';
import { TIME_PATTERN } from './time-range.ts';

const object = (properties: Readonly<Record<string, unknown>>, optional: readonly string[] = []) => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((key) => !optional.includes(key)),
  additionalProperties: false,
});
const described = (description: string, schema: Readonly<Record<string, unknown>>) => ({ description, ...schema });
const count = (description: string) => ({ type: 'integer', minimum: 0, description });
const name = (description: string) => ({ type: 'string', pattern: NAME.source, description });
const mapOf = (schema: Readonly<Record<string, unknown>>) => ({ type: 'object', additionalProperties: schema });
const orNull = (schema: Readonly<Record<string, unknown>>) => ({ anyOf: [schema, { type: 'null' }] });

const fault = object({
  code: { type: 'string', description: 'A code of docs/faults.md.' },
  message: { type: 'string' },
});

const resultRecord = described('One result, whole: docs/protocol.md, R-1. It has either data or an error.', {
  ...object(
    {
      stream: name('Id of the stream.'),
      run: name('Id of the run.'),
      algorithm: name('Name of the algorithm on this stream.'),
      n: count("Number of the window's newest frame among the played ones."),
      key: { type: 'string', pattern: '^[0-9]+(\\.[0-9]{1,3})?$', description: 'Time key: n / fps in seconds.' },
      sourceIndex: count('Number of that frame in the source.'),
      timestampMs: { type: 'number', description: 'Its presentation time.' },
      capturedAtMs: { type: ['number', 'null'], description: 'Wall clock at capture; null offline.' },
      data: described('What the algorithm returned.', {}),
      error: { $ref: 'Fault#' },
      attempts: count('How often the invocation was sent.'),
      lateMs: { type: ['number', 'null'], description: 'How much later than due it came; null offline.' },
      stateReset: { type: 'boolean', description: 'Whether an algorithm with memory began anew before it.' },
      version: { type: 'string', description: 'Of the algorithm that answered.' },
    },
    ['data', 'error'],
  ),
  oneOf: [{ required: ['data'] }, { required: ['error'] }],
});

const totals = {
  triggered: count('Invocations due.'),
  completed: count('Of these, answered with data.'),
  failed: count('Of these, answered with an error.'),
  dropped: mapOf(count('Of these, never answered, by reason.')),
};

const runEnd = described('How a run ended: docs/protocol.md, R-4.', {
  ...object({
    stream: name('Id of the stream.'),
    run: name('Id of the run.'),
    decoded: count('Frames decoded: of a live source, since it was opened last, as are the next two.'),
    played: count('Frames played.'),
    published: count('Frames published.'),
    lastPlayed: count('n of the last frame played.'),
    algorithms: mapOf(object(totals)),
    elapsedMs: { type: 'number' },
    fault: orNull({ $ref: 'Fault#' }),
  }),
});

const runProperties = {
  id: name('Id of the stream.'),
  run: name('Id of the run.'),
  state: {
    type: 'string',
    enum: ['running', 'ended', 'failed'],
    description: 'ended: with its source; failed: with a fault.',
  },
  results: count('Results stored, errors among them.'),
  errors: count('Errors among the results.'),
  end: orNull({ $ref: 'RunEnd#' }),
};
const streamRun = described('A run of a stream, as far as it is stored.', object(runProperties));

const sourceState = described('What its source is doing now.', {
  ...object({
    state: { type: 'string', enum: [...SOURCE_STATES, 'unknown'], description: 'unknown: no ingest has told for 5 s.' },
    reason: { type: ['string', 'null'], description: 'Why it is in that state: docs/api.md.' },
    sinceMs: { type: ['number', 'null'], description: 'Since when, milliseconds since 1970.' },
    fault: described('What it is lost by, or failed by; null while it plays.', orNull({ $ref: 'Fault#' })),
    retryInMs: orNull({ type: 'number', description: 'Until a lost source is opened again: 0 while it is.' }),
    framesPerSecond: {
      type: ['number', 'null'],
      description:
        'Frames decoded a second, over the last seconds; 0 before the first second, and while it does not play.',
    },
    decoded: orNull(count('Frames decoded.')),
    published: orNull(count('Frames published: those that some window can use.')),
    lastFrameAgeMs: orNull({ type: 'number', description: 'Since the newest decoded frame.' }),
  }),
});

const algorithmState = described('How one of its algorithms is getting on.', {
  ...object({
    state: {
      type: 'string',
      enum: ['followed', 'ended', 'unknown'],
      description: 'unknown: no scheduler has told for 5 s.',
    },
    lastResultAgeMs: orNull({ type: 'number', description: 'Since its newest result was published.' }),
    lateMs: orNull({ type: 'number', description: 'How late that one was; null offline.' }),
    lastError: described('Of its newest result that is an error, while that is told of.', orNull({ $ref: 'Fault#' })),
    ...totals,
  }),
});

const stream = described('A stream: what is registered, and how far its newest run has come.', {
  ...object({
    ...runProperties,
    run: { type: ['string', 'null'], description: 'Id of the run; null where none has begun since the last change.' },
    state: {
      type: 'string',
      enum: ['waiting', 'running', 'ended', 'failed'],
      description: 'waiting: no ingest has begun to play it; ended: with its source; failed: with a fault.',
    },
    fault: orNull({ $ref: 'Fault#' }),
    source: orNull({ $ref: 'SourceState#' }),
    algorithms: mapOf({ $ref: 'AlgorithmState#' }),
    definition: described(
      'What is registered, defaults filled in, passwords left out; null where only results are left.',
      {
        ...orNull({ $ref: 'StreamDefinition#' }),
      },
    ),
    owner: { type: ['string', 'null'], description: 'Who applied it.' },
    revision: { type: ['integer', 'null'], description: 'Of what is registered; its ETag is the same in quotes.' },
  }),
});

const aggregate = described(
  'Data by algorithm and time key, keys ascending; {"$error": {code, message}} for an error.',
  {
    ...mapOf(mapOf({})),
  },
);

const recordPage = object({
  cursor: { type: ['string', 'null'], description: 'Hand it back for the next page; null at the end.' },
  records: { type: 'array', items: { $ref: 'ResultRecord#' } },
});

const problem = object({
  error: object({
    code: {
      type: 'string',
      enum: [...Object.keys(API_ERRORS), ...REFUSING_FAULTS],
      description: 'Of docs/api.md, or of docs/faults.md where a body is no stream of this installation.',
    },
    message: { type: 'string' },
  }),
});

/** Schemas by the names that they have in the document. */
export const SHARED_SCHEMAS = {
  Fault: fault,
  ResultRecord: resultRecord,
  RunEnd: runEnd,
  StreamRun: streamRun,
  Stream: stream,
  SourceState: sourceState,
  AlgorithmState: algorithmState,
  StreamDefinition: described('A stream as in the configuration: docs/configuration.md.', streamDefinitionJsonSchema()),
  Aggregate: aggregate,
  RecordPage: recordPage,
  Error: problem,
} as const;

export const STREAM_PARAMETERS = object({ id: name('Id of the stream.') });

const QUERY = {
  run: name('Id of a run; without it the newest.'),
  algorithm: name('Only this algorithm.'),
  from: { type: 'string', pattern: TIME_PATTERN, description: 'Decimal seconds; keys from here on.' },
  to: { type: 'string', pattern: TIME_PATTERN, description: 'Decimal seconds; keys before this.' },
  cursor: { type: 'string', pattern: CURSOR_PATTERN, description: 'Begin behind the page that told this.' },
  limit: { type: 'integer', minimum: 1, maximum: 1000 },
  stream: name('Only this stream.'),
  owner: {
    type: 'string',
    pattern: OWNER.source,
    description: 'Who applies the stream. Without it a stream keeps the owner that it has.',
  },
  ifChanged: { type: 'boolean', description: 'Leave a stream as it is, and playing, where nothing would differ.' },
  after: {
    type: 'integer',
    minimum: 0,
    description:
      'Begin behind the event with this id; 0 begins with the oldest that is stored. Without it only what is new comes.',
  },
};

/** A query string of those parameters, all optional; descriptions may be told in other words. */
export const query = (
  keys: readonly (keyof typeof QUERY)[],
  descriptions: Partial<Record<keyof typeof QUERY, string>> = {},
) =>
  object(
    Object.fromEntries(
      keys.map((key) => [key, { ...QUERY[key], ...(descriptions[key] && { description: descriptions[key] }) }]),
    ),
    keys,
  );

/** An answer in JSON, and in other types where it has them. */
export const answer = (
  description: string,
  schema: Readonly<Record<string, unknown>>,
  others: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {},
) => ({
  description,
  content: {
    'application/json': { schema },
    ...Object.fromEntries(Object.entries(others).map(([type, other]) => [type, { schema: other }])),
  },
});

const errorAnswer = (description: string) => answer(description, { $ref: 'Error#' });

export const PRECONDITIONS = {
  type: 'object',
  properties: {
    'if-match': {
      type: 'string',
      pattern: IF_MATCH_PATTERN,
      description: 'ETags of which the stream must have one, or * for any: else nothing happens.',
    },
    'if-none-match': {
      type: 'string',
      pattern: IF_NONE_MATCH_PATTERN,
      description: '*: there must be no such stream.',
    },
  },
};

/** The body of a request that defines a stream: told in the document, validated by the schema of the configuration. */
export const STREAM_BODY = {
  required: true,
  content: { 'application/json': { schema: { $ref: 'StreamDefinition#' } } },
};

const ETAG = { ETag: { schema: { type: 'string' }, description: 'Revision of what is registered.' } };

export const withEtag = <A extends object>(response: A) => ({ ...response, headers: ETAG });

export const BAD_REQUEST = { 400: errorAnswer(API_ERRORS.BAD_REQUEST.description) };
/** Of every operation. */
export const ALWAYS = {
  401: errorAnswer(API_ERRORS.UNAUTHORIZED.description),
  403: errorAnswer(API_ERRORS.FORBIDDEN.description),
  503: errorAnswer('The bus or the store does not answer: see the code.'),
};
export const NOT_FOUND = { 404: errorAnswer('Nothing of that stream, or of that run of it, is there.') };
export const CONFLICT = {
  409: errorAnswer(`${API_ERRORS.STREAM_EXISTS.description} Or the bus has no room for its frames.`),
};
export const CHANGED = { 412: errorAnswer(API_ERRORS.STREAM_CHANGED.description) };
export const TOO_LARGE = { 413: errorAnswer(API_ERRORS.BODY_TOO_LARGE.description) };
