/**
 * Settings of the services: sections of the configuration file, and each key an environment variable of its service (natsUrl:
 * NATS_URL, httpPort: HTTP_PORT), which wins. The reference page and the JSON Schema are generated from here.
 */

import { z } from 'zod';
import { busSettings } from './bus-settings.ts';

/** What every service takes. */
const commonSettings = {
  ...busSettings,
  logLevel: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('The least severe that is logged.'),
  logFormat: z.enum(['auto', 'json', 'pretty']).default('auto').describe('auto: pretty on a terminal, else JSON.'),
  httpHost: z.string().default('127.0.0.1').describe('Where health and metrics listen.'),
  httpPort: z.coerce
    .number()
    .int()
    .min(0)
    .max(65535)
    .default(0)
    .describe('Port of health and metrics; 0 takes a free one.'),
  drainTimeoutMs: z.coerce
    .number()
    .int()
    .min(0)
    .default(10_000)
    .describe('How long a stop waits for work under way, in milliseconds.'),
  exitWithParent: z
    .stringbool()
    .or(z.boolean())
    .default(false)
    .describe('End when standard input closes: the parent died.'),
};

/** Of whoever makes the stream of results, the first of them. */
const resultStreamSettings = {
  resultsMaxBytes: z.coerce
    .number()
    .int()
    .min(1 << 20)
    .default(4 * 2 ** 30)
    .describe('Limit of the result stream on disk, in bytes.'),
};

/** What services take of which several share the streams. */
const memberSettings = {
  instanceId: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/)
    .optional()
    .describe(
      'Names this process among those that share its work; unique among those that run at the same time. One that is started again under its name takes up what it held at once. Default: one of its own.',
    ),
};

const certificatePath = (what: string) =>
  z.string().min(1).optional().describe(`Path of ${what}. Read again when it changes.`);

/** TLS between scheduler and runners, each of whom the other knows by its certificate. */
const grpcTlsSettings = {
  grpcCa: certificatePath(
    'the certificates that those of the other side are verified by; with grpcCert and grpcKey gRPC speaks TLS',
  ),
  grpcCert: certificatePath('the certificate of this service, which the other side asks for'),
  grpcKey: certificatePath('the private key of that certificate'),
};

export const ingestSettings = z.strictObject({
  ...commonSettings,
  ...memberSettings,
  ffmpegPath: z.string().default('ffmpeg').describe('The ffmpeg to run.'),
  ffprobePath: z.string().default('ffprobe').describe('The ffprobe to run.'),
  ffmpegThreads: z.coerce
    .number()
    .int()
    .min(0)
    .default(0)
    .describe('Decoder threads of each source; 0 lets ffmpeg choose.'),
  openTimeoutMs: z.coerce
    .number()
    .int()
    .min(100)
    .default(10_000)
    .describe('How long a source may take to open, in milliseconds.'),
  stallMs: z.coerce
    .number()
    .int()
    .min(100)
    .default(10_000)
    .describe(
      'A live source without a frame for so long is opened anew, in milliseconds. More than twice the time between frames, which of HLS come a segment at a time.',
    ),
  frozenAfterMs: z.coerce
    .number()
    .int()
    .min(100)
    .default(10_000)
    .describe('A picture that has not changed for so long is told as frozen, in milliseconds.'),
  backoffMinMs: z.coerce
    .number()
    .int()
    .min(1)
    .default(250)
    .describe(
      'The longest wait before a lost source is opened again the first time, in milliseconds; each next one may be twice as long.',
    ),
  backoffMaxMs: z.coerce
    .number()
    .int()
    .min(1)
    .default(15_000)
    .describe(
      'No wait before a lost source is opened again is longer, in milliseconds; refused credentials wait minutes.',
    ),
  connectionsPerHost: z.coerce
    .number()
    .int()
    .min(1)
    .default(4)
    .describe('Sources of one host that may be opened at once; the others wait their turn.'),
});

const schedulerSettings = z.strictObject({
  ...commonSettings,
  ...memberSettings,
  ...grpcTlsSettings,
  grpcServerName: z
    .string()
    .min(1)
    .default('algo-runner')
    .describe('DNS name that the certificates of runners must have, whatever address they are reached at.'),
  deadLettersMaxBytes: z.coerce
    .number()
    .int()
    .min(1 << 20)
    .default(64 * 2 ** 20)
    .describe('Limit of the stream of dead letters on disk, in bytes; the oldest give way.'),
  ...resultStreamSettings,
});

const algoRunnerSettings = z.strictObject({
  ...commonSettings,
  grpcHost: z.string().default('127.0.0.1').describe('Where gRPC listens.'),
  grpcPort: z.coerce.number().int().min(0).max(65535).default(0).describe('Port of gRPC; 0 takes a free one.'),
  ...grpcTlsSettings,
  grpcClientName: z
    .string()
    .min(1)
    .default('scheduler')
    .describe('DNS name that the certificates of those who call this runner must have.'),
  advertiseAddress: z
    .string()
    .optional()
    .describe('host:port that schedulers reach this runner at. Default: where gRPC listens.'),
  serve: z
    .string()
    .optional()
    .describe('Names of the algorithms to serve, with commas. Default: all of the configuration.'),
  modelDevice: z
    .enum(['cpu', 'gpu'])
    .default('cpu')
    .describe('Where models run whose algorithm does not say. gpu is CUDA; where that cannot be had, the CPU.'),
  requireGpu: z
    .stringbool()
    .or(z.boolean())
    .default(false)
    .describe('Do not start where a model that is to run on the GPU cannot.'),
});

const collectorSettings = z.strictObject({
  ...commonSettings,
  apiHost: z.string().default('127.0.0.1').describe('Where the API listens.'),
  apiPort: z.coerce.number().int().min(0).max(65535).default(0).describe('Port of the API; 0 takes a free one.'),
  apiTokensFile: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Path of a file with the tokens of the API, or several with commas: docs/security.md. Read again when it changes. Without it nobody needs a token.',
    ),
  storePath: z
    .string()
    .default('stream-infer.sqlite')
    .describe(
      'The SQLite file of results, where no database is named; :memory: keeps none. Relative to the configuration file that names it; STORE_PATH, and the default, to where the collector is started.',
    ),
  storeUrl: z
    .string()
    .min(1)
    .optional()
    .describe(
      'The PostgreSQL database of results, instead of a SQLite file: postgres://user:password@host:5432/database, several hosts with commas; with ?sslmode=require, verify-ca or verify-full by TLS.',
    ),
  storeUrlFile: z
    .string()
    .min(1)
    .optional()
    .describe('Path of a file with that URL, instead. Read again for each attempt to connect.'),
  storeCa: certificatePath(
    'the certificates that the certificate of the database is verified by; with it TLS is required',
  ),
  retentionDays: z.coerce.number().min(0).default(0).describe('Results older than this are removed; 0 keeps all.'),
  retentionBytes: z.coerce
    .number()
    .int()
    .min(0)
    .default(0)
    .describe('The oldest results are removed above this size; 0 keeps all.'),
  ...resultStreamSettings,
  busMemoryBytes: z.coerce
    .number()
    .int()
    .min(0)
    .default(0)
    .describe(
      "The bus's memory for frames (max_memory_store), in bytes: a stream that would exceed it is refused. 0: the limit of the NATS account, where it has one.",
    ),
});

/** Section of the configuration file → schema. */
export const SERVICE_SETTINGS = {
  ingest: ingestSettings,
  scheduler: schedulerSettings,
  algoRunner: algoRunnerSettings,
  collector: collectorSettings,
} as const;

export type ServiceSection = keyof typeof SERVICE_SETTINGS;
export type Settings<S extends ServiceSection> = z.output<(typeof SERVICE_SETTINGS)[S]>;

/** Keys that name files: relative ones in the configuration file are relative to it. */
export const FILE_SETTINGS: readonly string[] = [
  'natsPasswordFile',
  'natsTokenFile',
  'natsCreds',
  'natsNkey',
  'natsCa',
  'natsCert',
  'natsKey',
  'apiTokensFile',
  'storePath',
  'storeUrlFile',
  'storeCa',
  'grpcCa',
  'grpcCert',
  'grpcKey',
];

/** Those of them that name several, with commas. */
export const FILES_SETTINGS: readonly string[] = ['apiTokensFile'];

/** `storePath` of a store that is in no file. */
export const MEMORY_STORE = ':memory:';

/** Keys whose values are never told (I8). */
export const SECRET_SETTINGS: readonly string[] = ['natsPassword', 'natsToken', 'storeUrl'];

/** `natsUrl` → `NATS_URL`. */
export const environmentName = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
