/**
 * What is wrong with a source, from what ffmpeg and ffprobe write on standard error. Their texts quote URLs with passwords (I8):
 * a fault says what is known in words of ours, and quotes a line only where it is not, and then redacted.
 */

import { Fault, type FaultCode } from '@stream-infer/core/fault';
import type { Source } from './source.ts';

type Reason = { readonly pattern: RegExp; readonly code: FaultCode; readonly says: string };

const FETCHING: readonly Reason[] = [
  {
    pattern: /\b401\b|unauthorized|authorization failed/i,
    code: 'SOURCE_UNAUTHORIZED',
    says: 'refuses the credentials (401): check user and password',
  },
  {
    pattern: /\b403\b|forbidden/i,
    code: 'SOURCE_UNAUTHORIZED',
    says: 'forbids access (403): check user and password',
  },
  { pattern: /connection refused/i, code: 'SOURCE_UNREACHABLE', says: 'refuses the connection: check host and port' },
  {
    pattern: /failed to resolve|name or service not known|temporary failure in name resolution/i,
    code: 'SOURCE_UNREACHABLE',
    says: 'has a host that cannot be found: check its name',
  },
  {
    pattern: /no route to host|network is unreachable/i,
    code: 'SOURCE_UNREACHABLE',
    says: 'cannot be reached over the network: check address and route',
  },
  { pattern: /timed out/i, code: 'SOURCE_UNREACHABLE', says: 'does not answer in time: check that it is on' },
  {
    pattern: /\b404\b|not found \(404\)/i,
    code: 'SOURCE_UNREACHABLE',
    says: 'does not exist on its server (404): check the path',
  },
  {
    pattern: /server returned|http error|\b5\d\d\b.*error/i,
    code: 'SOURCE_UNREACHABLE',
    says: "gets an error from its server: check the server's log",
  },
  {
    pattern: /protocol not found/i,
    code: 'SOURCE_UNREACHABLE',
    says: 'has a protocol that this ffmpeg does not speak: see ffmpeg -protocols',
  },
];

const OPENING: readonly Reason[] = [
  {
    pattern: /no such file or directory|no such device/i,
    code: 'SOURCE_NOT_FOUND',
    says: 'does not exist: check the path',
  },
  { pattern: /permission denied/i, code: 'SOURCE_UNREACHABLE', says: 'may not be read: check its permissions' },
  { pattern: /resource busy/i, code: 'SOURCE_UNREACHABLE', says: 'is in use by another program: end that first' },
  {
    pattern: /unknown input format/i,
    code: 'SOURCE_UNREACHABLE',
    says: 'needs an input device that this ffmpeg does not have: see ffmpeg -devices',
  },
  {
    pattern: /invalid data found|moov atom not found|end of file|could not find codec parameters/i,
    code: 'SOURCE_NOT_MEDIA',
    says: 'is no video that ffmpeg reads: check that the file is whole',
  },
];

/** The fault of a source that could not be opened. */
export function openFault(source: Source, stderr: string): Fault {
  const reasons = source.kind === 'file' ? OPENING : [...FETCHING, ...OPENING];
  const known = reasons.find(({ pattern }) => pattern.test(stderr));
  if (known) return new Fault(known.code, `${source.label} ${known.says}`);
  const code = source.kind === 'file' ? 'SOURCE_NOT_MEDIA' : 'SOURCE_UNREACHABLE';
  const said = lastError(source, stderr);
  return new Fault(code, `${source.label} cannot be opened${said === '' ? '' : `: ffmpeg says "${said}"`}`);
}

export const timeoutFault = (source: Source, timeoutMs: number): Fault =>
  new Fault(
    'SOURCE_UNREACHABLE',
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
};

/** A file of which a part could not be decoded. */
export function damageFault({ label }: Source, { expected, decoded, atSeconds }: Damage): Fault {
  const where = atSeconds === undefined ? '' : ` at ${seconds(atSeconds)} s`;
  const lost = expected === undefined ? undefined : expected - decoded;
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

const damaged = (what: string): Fault =>
  new Fault('SOURCE_DAMAGED', `${what}: fetch or encode the file anew to have all of it`);

export const noFramesFault = ({ label }: Source): Fault =>
  new Fault(
    'SOURCE_NO_FRAMES',
    `${label} has a video stream of which no frame can be decoded: check that the file is whole`,
  );

export const positionFault = ({ label }: Source, positionSeconds: number, endSeconds: number | undefined): Fault =>
  new Fault(
    'SOURCE_POSITION',
    `position ${seconds(positionSeconds)} s lies beyond the end of ${label}${endSeconds === undefined ? '' : `, which is ${seconds(endSeconds)} s long`}: choose an earlier one`,
  );

export const lostFault = ({ label }: Source, positionSeconds: number, why: string): Fault =>
  new Fault('SOURCE_LOST', `${label} was lost after ${seconds(positionSeconds)} s: ${why}`);

/** Its ingest was told to stop in the middle. */
export const stoppedFault = ({ label }: Source): Fault =>
  new Fault('SOURCE_LOST', `${label} was not played to its end: its ingest was stopped; start one, and it plays anew`);

const seconds = (value: number): string => String(Math.floor(value * 1_000 + 1e-6) / 1_000);
const frames = (count: number): string => `${count} frame${count === 1 ? '' : 's'}`;
