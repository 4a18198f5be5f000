/** By which schemes a URL may name a source, so that one with a typing error in it is refused before anything tries to open it. */

import { Fault } from './fault.ts';
import { nearestKey } from './nearest-key.ts';
import { redactUrl } from './redact-url.ts';
import { sourceKind } from './source-kind.ts';

/** Those that live pictures come by. Of several that are as near to what was written the first is meant. */
export const LIVE_SCHEMES = [
  ...(['rtsp', 'rtsps', 'http', 'https', 'rtmp', 'rtmps', 'rtmpe', 'rtmpt', 'rtmpte', 'rtmpts'] as const),
  ...(['srt', 'rtp', 'rist', 'udp', 'tcp', 'mmsh', 'mmst'] as const),
] as const;
export type LiveScheme = (typeof LIVE_SCHEMES)[number];

/** What else ffmpeg opens, in one build of it or another. */
const OTHER_SCHEMES: readonly string[] = [
  ...['ftp', 'sftp', 'smb', 'gopher', 'gophers', 'ipfs', 'ipns', 'amqp', 'zmq', 'sctp', 'srtp', 'udplite', 'tls'],
  ...['httpproxy', 'ffrtmphttp', 'ffrtmpcrypt', 'mms', 'sap', 'satip', 'icecast', 'unix', 'bluray', 'dvd'],
  ...['async', 'cache', 'crypto', 'subfile', 'concat', 'concatf', 'data', 'pipe', 'fd', 'hls', 'rtmfp'],
];

/** Throws CONFIG_INVALID. @param where names the stream. */
export function refuseUnknownScheme(source: string, where: string): void {
  if (sourceKind(source) !== 'url') return;
  // Formats may be written before the protocol that they come by: hls+https.
  const schemes = source.slice(0, source.indexOf(':')).toLowerCase().split('+');
  const known = [...LIVE_SCHEMES, ...OTHER_SCHEMES];
  const unknown = schemes.find((scheme) => !known.includes(scheme));
  if (unknown === undefined) return;
  const meant = nearestKey(unknown, known);
  const advice = meant === undefined ? `live pictures come by ${LIVE_SCHEMES.join(', ')}` : `did you mean ${meant}?`;
  throw new Fault(
    'CONFIG_INVALID',
    `${where}: source is "${redactUrl(source)}", and ${unknown}:// is nothing that video comes by: ${advice}`,
  );
}
