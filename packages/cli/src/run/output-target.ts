/** Where results go, and whether they can be written there: asked before anything starts. */

import { open, stat, unlink } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { Fault } from '@stream-infer/core/fault';

/** `json`: data by stream, algorithm and time key. `ndjson`: whole records, one a line. */
export type OutputFormat = 'json' | 'ndjson';

export type OutputTarget =
  | { readonly kind: 'file'; readonly path: string; readonly format: OutputFormat }
  | { readonly kind: 'stdout'; readonly format: OutputFormat }
  | { readonly kind: 'none' };

export type OutputRequest = {
  readonly output: string | undefined;
  readonly format: string | undefined;
  readonly json: boolean;
};

const FORMATS: readonly string[] = ['json', 'ndjson'] satisfies OutputFormat[];

const isFormat = (text: string): text is OutputFormat => FORMATS.includes(text);

/** Throws USAGE where results and the summary would share standard output, or the format cannot be told. */
export function outputTarget(
  { output, format, json }: OutputRequest,
  directory: string,
  stdoutIsTerminal: boolean,
): OutputTarget {
  if (format !== undefined && !isFormat(format))
    throw new Fault('USAGE', `--format is ${JSON.stringify(format)}: it must be json or ndjson`);
  if (output === '-') {
    if (json) throw new Fault('USAGE', '--output - and --json both write to standard output: give --output FILE');
    return { kind: 'stdout', format: format ?? 'json' };
  }
  if (output === undefined)
    return json || (stdoutIsTerminal && format === undefined)
      ? { kind: 'none' }
      : { kind: 'stdout', format: format ?? 'json' };
  return { kind: 'file', path: resolve(directory, output), format: format ?? formatOf(output) };
}

/** By the ending of the name; a name without one, such as that of a device or a pipe, is JSON. */
function formatOf(file: string): OutputFormat {
  const ending = extname(file).toLowerCase().slice(1);
  if (isFormat(ending)) return ending;
  if (ending === '') return 'json';
  throw new Fault(
    'USAGE',
    `--output ${file}: results are JSON: name a file that ends in .json, or in .ndjson for a record a line, or add --format`,
  );
}

/** Throws OUTPUT_UNWRITABLE. What stands at the path stays as it is. */
export async function checkWritable(path: string): Promise<void> {
  const existed = await stat(path).catch(() => undefined);
  if (existed?.isDirectory()) throw new Fault('OUTPUT_UNWRITABLE', `${path} is a folder: name a file in it`);
  // A pipe would wait for its reader here, and a device has nothing to ask for.
  if (existed && !existed.isFile()) return;
  try {
    const file = await open(path, 'a');
    await file.close();
    if (!existed) await unlink(path);
  } catch (error) {
    throw unwritable(path, error);
  }
}

/** The fault of a write that failed, by the system's reason. */
export function unwritable(path: string, error: unknown): Fault {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reason = REASONS[code] ?? (error instanceof Error ? error.message : String(error));
  return new Fault('OUTPUT_UNWRITABLE', `${path} cannot be written: ${reason}`, { cause: error });
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'part of the path is a file, no folder',
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
};
