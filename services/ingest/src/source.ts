/**
 * Where a stream's video comes from: what ffmpeg is told to open, and how people are told of it. The two are kept apart, since a
 * URL may hold a password and a source named by `sourceFrom` is secret as a whole (I8): only `label` and what `redact` returns
 * may leave this service.
 */

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Fault } from '@stream-infer/core/fault';
import { redactUrl } from '@stream-infer/core/redact-url';
import { type SourceKind, sourceKind } from '@stream-infer/core/source-kind';
import type { StreamSpec } from '@stream-infer/core/stream-spec';
import { type ConcatScript, concatScript } from './concat-script.ts';
import { percentDecoded } from './percent-decoded.ts';
import { FILE_PROTOCOLS, isHttp, protocolsOf } from './source-protocols.ts';

export type Source = {
  readonly kind: SourceKind;
  /** What ffmpeg opens. Secret. */
  readonly input: string;
  /** Options before it: format, transport, time limits. */
  readonly inputOptions: readonly string[];
  /** In place of both, where the input is secret: arguments are not. */
  readonly script?: ConcatScript;
  /** Of the relay that its HTTP goes through. */
  readonly proxy?: string;
  /** What the relay knows of why it could not be opened, in ffmpeg's words. */
  hindered?(): string;
  /** Whether what it is made of may lie anywhere: a playlist names files. */
  readonly mayNameFiles?: boolean;
  /** Absolute path of a file. */
  readonly path?: string;
  /** How it is named in logs, faults and notices. */
  readonly label: string;
  /** Whether frames come at their own time; undefined where only probing tells. */
  readonly live: boolean | undefined;
  /** Made by ffmpeg itself (lavfi), as fast as it can unless it is held to the time. */
  readonly generated: boolean;
  /** `text`, such as ffmpeg's, without anything of the source that is secret. */
  redact(text: string): string;
};

const FILE_URL = /^file:\/\//i;
const VIDEO_DEVICE = /^\/dev\//;
/** Schemes whose sources play by themselves; of http only probing tells. */
const LIVE_SCHEME = /^(rtsps?|rtmp[a-z]*|rtp|udp|srt|rist|tcp|mms[a-z]*)$/;

/** A line break would begin another line of a script. */
const CONTROL = /\p{Cc}/u;

export type SourceContext = { readonly environment: NodeJS.ProcessEnv; readonly openTimeoutMs: number };

/** Throws SOURCE_NOT_FOUND where `sourceFrom` names nothing. */
export async function resolveSource(spec: StreamSpec, context: SourceContext): Promise<Source> {
  if (spec.sourceFrom === undefined) {
    const text = spec.source ?? '';
    return sourceOf(text, redactUrl(text), context.openTimeoutMs);
  }
  const { text, label } = await secretSource(spec, context.environment);
  return sourceOf(text, label, context.openTimeoutMs);
}

async function secretSource(
  { id, sourceFrom }: StreamSpec,
  environment: NodeJS.ProcessEnv,
): Promise<{ text: string; label: string }> {
  if (sourceFrom && 'env' in sourceFrom) {
    const text = environment[sourceFrom.env]?.trim();
    if (text) return { text, label: `the source in ${sourceFrom.env}` };
    throw new Fault(
      'SOURCE_NOT_FOUND',
      `stream ${id}: sourceFrom names the environment variable ${sourceFrom.env}, which the ingest does not have: set it there`,
    );
  }
  const path = sourceFrom?.file ?? '';
  const text = await readFile(path, 'utf8').then(
    (content) => content.trim(),
    () => '',
  );
  if (text) return { text, label: `the source in ${path}` };
  throw new Fault(
    'SOURCE_NOT_FOUND',
    `stream ${id}: sourceFrom names the file ${path}, which the ingest cannot read or which is empty: put the source there`,
  );
}

/** Pure: what a source's text means. */
export function sourceOf(text: string, label: string, openTimeoutMs: number): Source {
  const kind = sourceKind(text);
  switch (kind) {
    case 'device': {
      const colon = text.indexOf(':');
      return VIDEO_DEVICE.test(text)
        ? deviceSource('v4l2', text, label)
        : deviceSource(text.slice(0, colon), text.slice(colon + 1), label);
    }
    case 'file': {
      const path = resolve(FILE_URL.test(text) ? fileURLToPath(text) : text);
      // As a URL, so that no path is taken for an option or a protocol.
      const input = `file:${path}`;
      const redact = redactor([input, path], label, []);
      return {
        kind,
        input,
        inputOptions: whitelist(FILE_PROTOCOLS),
        path,
        label,
        live: false,
        generated: false,
        redact,
      };
    }
    case 'url': {
      if (CONTROL.test(text))
        throw new Fault('SOURCE_UNREACHABLE', `${label} has a control character in its URL: write it as %0A and such`);
      const scheme = text.slice(0, text.indexOf(':')).toLowerCase();
      const options = networkOptions(scheme, openTimeoutMs);
      const protocols = protocolsOf(scheme);
      const isScripted = label !== text && !isHttp(scheme);
      return {
        kind,
        input: text,
        inputOptions: [...options, ...whitelist(protocols)],
        ...(isScripted && protocols && { script: concatScript(text, { scheme, protocols, options }) }),
        label,
        live: LIVE_SCHEME.test(scheme) ? true : undefined,
        generated: false,
        redact: redactor([text], label, secretParts(text, label)),
      };
    }
  }
}

function deviceSource(format: string, device: string, label: string): Source {
  const redact = redactor([device], label, []);
  const generated = format === 'lavfi';
  return { kind: 'device', input: device, inputOptions: ['-f', format], label, live: true, generated, redact };
}

/** What ffmpeg may open for it, and for what its playlist names. */
const whitelist = (protocols: readonly string[] | undefined): string[] =>
  protocols === undefined ? [] : ['-protocol_whitelist', protocols.join(',')];

/** So that a source which stops answering ends ffmpeg rather than holding it. In microseconds, as ffmpeg counts. */
function networkOptions(scheme: string, openTimeoutMs: number): string[] {
  const limit = String(openTimeoutMs * 1_000);
  if (scheme === 'rtsp' || scheme === 'rtsps')
    return ['-rtsp_transport', 'tcp', '-allowed_media_types', 'video', '-timeout', limit];
  return scheme === 'rtp' ? [] : ['-rw_timeout', limit];
}

/** What of a URL must not be quoted: its credentials, and all of one that is secret as a whole, which its label does not tell. */
function secretParts(text: string, label: string): string[] {
  if (!URL.canParse(text)) return [];
  const { username, password, searchParams, host, hostname, pathname, search } = new URL(text);
  const credentials = [username, password, ...searchParams.values()];
  const whole = label === redactUrl(text) ? [] : [pathname + search, pathname, host, hostname];
  return [...credentials, ...credentials.map(percentDecoded), ...whole];
}

/** Names the source by its label wherever it is quoted, and blots out every other part that is secret. */
function redactor(quotations: readonly string[], label: string, secrets: readonly string[]): Source['redact'] {
  const blots = [...new Set(secrets)].filter((secret) => secret.length > 2).sort((a, b) => b.length - a.length);
  return (text) => {
    const named = quotations.reduce((rest, quotation) => rest.replaceAll(quotation, label), text);
    return blots.reduce((rest, secret) => rest.replaceAll(secret, '***'), redactUrl(named));
  };
}
