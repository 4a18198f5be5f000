/**
 * What is wrong with a source, from what ffmpeg and ffprobe write on standard error. Their texts quote URLs with passwords (I8):
 * a fault says what is known in words of ours, and quotes a line only where it is not, and then redacted. It carries its reason of
 * the closed set, so that nobody has to read it out of the words.
 */

import { Fault, type FaultCode } from '@stream-infer/core/fault';
import type { SourceReason } from '@stream-infer/core/source-state';
import type { Size } from './geometry.ts';
import type { Source } from './source.ts';

/** A fault of a source, with the reason that the source's state tells. */
export class SourceFault extends Fault {
  readonly reason: SourceReason;

  constructor(code: FaultCode, reason: SourceReason, message: string) {
    super(code, message);
    this.reason = reason;
  }
}

type Cause = {
  readonly pattern: RegExp;
  readonly code: FaultCode;
  readonly reason: SourceReason;
  readonly says: string;
};

const FETCHING: readonly Cause[] = [
  {
    pattern: /forbidden by sources\.allow/,
    code: 'SOURCE_FORBIDDEN',
    reason: 'forbidden',
    says: 'leads to an address that sources.allow does not have: add network:WHERE to it if it is to be played',
  },
  {
    pattern: /(?:failed:|error|returned) 401\b|unauthorized|authorization failed/i,
    code: 'SOURCE_UNAUTHORIZED',
    reason: 'unauthorized',
    says: 'refuses the credentials (401): check user and password',
  },
  {
    pattern: /(?:failed:|error|returned) 403\b|forbidden/i,
    code: 'SOURCE_UNAUTHORIZED',
    reason: 'unauthorized',
    says: 'forbids access (403): check user and password',
  },
  {
    pattern: /connection refused/i,
    code: 'SOURCE_UNREACHABLE',
    reason: 'refused',
    says: 'refuses the connection: check host and port',
  },
  {
    pattern: /failed to resolve|name or service not known|temporary failure in name resolution/i,
    code: 'SOURCE_UNREACHABLE',
    reason: 'dns',
    says: 'has a host that cannot be found: check its name',
  },
  {
    pattern: /no route to host|network is unreachable/i,
    code: 'SOURCE_UNREACHABLE',
    reason: 'timeout',
    says: 'cannot be reached over the network: check address and route',
  },
  {
    pattern: /timed out/i,
    code: 'SOURCE_UNREACHABLE',
    reason: 'timeout',
    says: 'does not answer in time: check that it is on',
  },
  {
    pattern: /(?:failed:|error|returned) 404\b|not found \(404\)/i,
    code: 'SOURCE_UNREACHABLE',
    reason: 'not-found',
    says: 'does not exist on its server (404): check the path',
  },
  {
    pattern: /server returned|http error|failed: [45]\d\d\b/i,
    code: 'SOURCE_UNREACHABLE',
    reason: 'refused',
    says: "gets an error from its server: check the server's log",
  },
  {
    pattern: /connection reset|broken pipe/i,
    code: 'SOURCE_UNREACHABLE',
    reason: 'ended',
    says: "breaks the connection: check that its server is up, and the server's log",
  },
  {
    pattern: /protocol not found/i,
    code: 'SOURCE_UNREACHABLE',
    reason: 'invalid',
    says: 'has a protocol that this ffmpeg does not speak: see ffmpeg -protocols',
  },
];

const OPENING: readonly Cause[] = [
  {
    pattern: /no such file or directory|no such device/i,
    code: 'SOURCE_NOT_FOUND',
    reason: 'not-found',
    says: 'does not exist: check the path',
  },
  {
    pattern: /permission denied/i,
    code: 'SOURCE_UNREACHABLE',
    reason: 'refused',
    says: 'may not be read: check its permissions',
  },
  {
    pattern: /resource busy/i,
    code: 'SOURCE_UNREACHABLE',
    reason: 'refused',
    says: 'is in use by another program: end that first',
  },
  {
    pattern: /unknown input format/i,
    code: 'SOURCE_UNREACHABLE',
    reason: 'invalid',
    says: 'needs an input device that this ffmpeg does not have: see ffmpeg -devices',
  },
  {
    pattern: /invalid data found|moov atom not found|could not find codec parameters/i,
    code: 'SOURCE_NOT_MEDIA',
    reason: 'decode-errors',
    says: 'is no video that ffmpeg reads: check that the file is whole',
  },
  {
    pattern: /end of file/i,
    code: 'SOURCE_NOT_MEDIA',
    reason: 'ended',
    says: 'ends before there is any video: check that the file is whole',
  },
];

/** What ffmpeg quotes of a URL is no word of its own: a port or a path may be 404. */
const wordsOf = (stderr: string): string => stderr.replace(/\b[a-z][a-z0-9+.-]*:\/\/[^\s'"]+/gi, 'URL');

/** The fault of a source that could not be opened. */
export function openFault(source: Source, stderr: string): SourceFault {
  const isFile = source.kind === 'file';
  const causes = isFile ? OPENING : [...FETCHING, ...OPENING];
  const words = wordsOf(`${stderr}\n${source.hindered?.() ?? ''}`);
  const known = causes.find(({ pattern }) => pattern.test(words));
  if (known) return new SourceFault(known.code, known.reason, `${source.label} ${known.says}`);
  const said = lastError(source, stderr);
  const message = `${source.label} cannot be opened${said === '' ? '' : `: ffmpeg says "${said}"`}`;
  return isFile
    ? new SourceFault('SOURCE_NOT_MEDIA', 'decode-errors', message)
    : new SourceFault('SOURCE_UNREACHABLE', 'refused', message);
}

export const timeoutFault = (source: Source, timeoutMs: number): SourceFault =>
  new SourceFault(
    'SOURCE_UNREACHABLE',
    'timeout',
    `${source.label} did not answer within ${timeoutMs / 1_000} s: check that it is on, or raise OPEN_TIMEOUT_MS`,
  );

/** The last line that ffmpeg wrote, redacted and without addresses of its own memory. */
export function lastError(source: Source, stderr: string): string {
  const line = stderr.trim().split('\n').at(-1) ?? '';
  return source.redact(line.replace(/^(\[[^\]]*\]\s*)+/, '')).slice(0, 200);
}

/** What a run knows of a source that did not decode as a whole. */
export type Damage = {
  /** Frames that there are to be; undefined where nothing tells. */
  readonly expected: number | undefined;
  readonly decoded: number;
  /** Presentation time of the first loss, in seconds. */
  readonly atSeconds: number | undefined;
  /** Seconds that came, and that the container announces; undefined where it announces none. */
  readonly lasted?: { readonly came: number; readonly announced: number } | undefined;
};

/** Containers round, and count sound that goes on after the picture. */
const ANNOUNCED_MARGIN_SECONDS = 0.5;

/** A file of which a part could not be decoded. */
export function damageFault({ label }: Source, { expected, decoded, atSeconds, lasted }: Damage): SourceFault {
  const where = atSeconds === undefined ? '' : ` at ${seconds(atSeconds)} s`;
  const lost = expected === undefined ? undefined : expected - decoded;
  if ((lost === undefined || lost <= 0) && lasted && lasted.came + ANNOUNCED_MARGIN_SECONDS < lasted.announced)
    return damaged(
      `${label} is damaged${where}: ${frames(decoded)} came out, ${tenths(lasted.came)} of the ${tenths(lasted.announced)} s that it announces`,
    );
  if (lost === undefined || lost < 0)
    return damaged(`${label} is damaged${where}: ${frames(decoded)} could be decoded, and more is missing`);
  if (lost === 0)
    return damaged(
      `${label} is damaged${where}: all of its ${frames(decoded)} came out, some with errors in the picture`,
    );
  return damaged(
    `${label} is damaged${where}: ${lost} of its ${frames(expected ?? 0)} could not be decoded, and the ${decoded} others are numbered without ${lost === 1 ? 'it' : 'them'}`,
  );
}

const damaged = (what: string): SourceFault =>
  new SourceFault('SOURCE_DAMAGED', 'decode-errors', `${what}: fetch or encode the file anew to have all of it`);

export const noFramesFault = ({ label }: Source, reason: SourceReason = 'decode-errors'): SourceFault =>
  new SourceFault(
    'SOURCE_NO_FRAMES',
    reason,
    `${label} has a video stream of which no frame can be decoded: check that the file is whole`,
  );

export const positionFault = (
  { label }: Source,
  positionSeconds: number,
  endSeconds: number | undefined,
): SourceFault =>
  new SourceFault(
    'SOURCE_POSITION',
    'invalid',
    `position ${seconds(positionSeconds)} s lies beyond the end of ${label}${endSeconds === undefined ? '' : `, which is ${seconds(endSeconds)} s long`}: choose an earlier one`,
  );

export const lostFault = (
  { label }: Source,
  positionSeconds: number,
  why: string,
  reason: SourceReason = 'ended',
): SourceFault =>
  new SourceFault('SOURCE_LOST', reason, `${label} was lost after ${seconds(positionSeconds)} s: ${why}`);

/** A live source that is open and silent. */
export const stallFault = (source: Source, positionSeconds: number, stallMs: number): SourceFault =>
  lostFault(source, positionSeconds, `no frame came for ${stallMs / 1_000} s`, 'no-frames');

/** A live source whose presentation times leapt. */
export const jumpFault = (source: Source, positionSeconds: number): SourceFault =>
  lostFault(source, positionSeconds, 'its presentation times leapt', 'timestamps-jumped');

/** A live source that was opened for what it was before, and is another. */
export const unlikeFault = ({ label }: Source, { width, height }: Size): SourceFault =>
  new SourceFault(
    'SOURCE_LOST',
    'picture-changed',
    `${label} has a picture of ${width}x${height} now, which is not what it had: it is opened anew`,
  );

/**
 * Why a source that played is lost, by how its ffmpeg ended: the last line tells of the connection, and what came before it may be
 * hours old. An open connection on which nothing came is `no-frames`, not `timeout`: it was answered.
 */
export function lossReason(stderr: string, exitCode: number | null): SourceReason {
  const words = wordsOf(stderr.trim().split('\n').at(-1) ?? '');
  const known = FETCHING.find(({ pattern }) => pattern.test(words));
  if (known) return known.reason === 'timeout' ? 'no-frames' : known.reason;
  return exitCode === 0 ? 'ended' : 'decode-errors';
}

/** Its stream is no more, or is another from now on. */
export const removedFault = ({ label }: Source): SourceFault =>
  new SourceFault('SOURCE_LOST', 'ended', `${label} was not played to its end: its stream was stopped or changed`);

const seconds = (value: number): string => String(Math.floor(value * 1_000 + 1e-6) / 1_000);
const tenths = (value: number): string => value.toFixed(1);
const frames = (count: number): string => `${count} frame${count === 1 ? '' : 's'}`;
