/**
 * Which protocols ffmpeg may use for a source (its `protocol_whitelist`): those that the source's own scheme is carried by and no
 * others, so that a playlist or a redirect from a network cannot name a file of this machine.
 */

import type { LiveScheme } from '@stream-infer/core/source-scheme';

const HTTP = ['http', 'https', 'httpproxy', 'tls', 'tcp', 'crypto'] as const;

/** Scheme of the URL → protocols. RTSP comes over TCP alone (source.ts), and is no protocol of ffmpeg's but a format. */
const PROTOCOLS = new Map<string, readonly string[]>(
  Object.entries({
    http: HTTP,
    https: HTTP,
    rtsp: ['tcp'],
    rtsps: ['tls', 'tcp'],
    rtmp: ['rtmp', 'tcp'],
    rtmps: ['rtmps', 'rtmp', 'tls', 'tcp'],
    rtmpe: ['rtmpe', 'ffrtmpcrypt', 'tcp'],
    rtmpt: ['rtmpt', 'ffrtmphttp', 'http', 'tcp'],
    rtmpte: ['rtmpte', 'ffrtmpcrypt', 'ffrtmphttp', 'http', 'tcp'],
    rtmpts: ['rtmpts', 'ffrtmphttp', 'https', 'httpproxy', 'tls', 'tcp'],
    rtp: ['rtp', 'udp'],
    srt: ['srt'],
    rist: ['rist'],
    udp: ['udp'],
    tcp: ['tcp'],
    mmsh: ['mmsh', 'http', 'tcp'],
    mmst: ['mmst', 'tcp'],
  } satisfies Record<LiveScheme, readonly string[]>),
);

export const isHttp = (scheme: string): boolean => scheme === 'http' || scheme === 'https';

/** Of a file: a playlist may name others beside it, and keys. */
export const FILE_PROTOCOLS = ['file', 'crypto', 'data'] as const;

/** Undefined of a scheme that is none of those that live pictures come by. */
export const protocolsOf = (scheme: string): readonly string[] | undefined => PROTOCOLS.get(scheme);
