/** What follows `stream-infer fetch`. */

import { Fault } from '@stream-infer/core/fault';
import { redactUrl } from '@stream-infer/core/redact-url';
import { HELP, JSON_OPTION } from './common-options.ts';
import { type OptionTable, parseOptions } from './option-table.ts';

export const FETCH_OPTIONS = {
  sha256: { type: 'string', value: 'HEX', description: 'The SHA-256 of the file, 64 hexadecimal digits.' },
  ...JSON_OPTION,
  ...HELP,
} as const satisfies OptionTable;

export const FETCH_DETAILS = `FILE comes whole or not at all, and only as its checksum says: a folder may be shared by all processes of a
machine. Where it is there already nothing is asked of anybody. Folders above it are made.

  stream-infer fetch https://models.example/yunet.onnx /models/yunet.onnx --sha256 8f2383…

A user and password in the URL, or the variable STREAM_INFER_FETCH_AUTHORIZATION, such as "Bearer …",
go to the server alone. What may pass is tried again for some seconds.

Exit status: 0 it is there; 2 usage, or another file than the one wanted; 4 environment.`;

export type FetchArguments = {
  readonly url: string;
  readonly file: string;
  /** 64 hexadecimal digits, lower case. */
  readonly sha256: string;
  readonly json: boolean;
};

/** Throws USAGE. */
export function parseFetchArguments(args: readonly string[]): FetchArguments {
  const { values, positionals } = parseOptions(args, FETCH_OPTIONS);
  const [url, file] = positionals;
  if (url === undefined || file === undefined || positionals.length > 2)
    throw new Fault('USAGE', 'fetch takes a URL and a file: stream-infer fetch URL FILE --sha256 HEX');
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new Fault('USAGE', `fetch takes a URL of http or https, and ${redactUrl(url)} is none`);
  const sha256 = values.sha256?.toLowerCase() ?? '';
  if (!/^[0-9a-f]{64}$/.test(sha256))
    throw new Fault('USAGE', '--sha256 takes the 64 hexadecimal digits of the checksum, as sha256sum prints them');
  return { url, file, sha256, json: values.json };
}
