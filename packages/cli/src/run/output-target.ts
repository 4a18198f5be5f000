/** Where results go, and whether they can be written there: asked before anything starts. */

import { open, stat, unlink } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { Fault } from '@stream-infer/core/fault';

/** `json`: data by stream, algorithm and time key. `ndjson`: whole records, one a line. */
export type OutputFormat = 'json' | 'ndjson';

export type OutputTarget =
  | { readonly kind: 'file'; readonly path: string; readonly format: OutputFormat }
  | { readonly kind: 'stdout' }
  | { readonly kind: 'none' };

/** Throws USAGE where results and the summary would share standard output. */
export function outputTarget(
  { output, json }: { readonly output: string | undefined; readonly json: boolean },
  directory: string,
  stdoutIsTerminal: boolean,
): OutputTarget {
  if (output === '-') {
    if (json) throw new Fault('USAGE', '--output - and --json both write to standard output: give --output FILE');
    return { kind: 'stdout' };
  }
  if (output === undefined) return json || stdoutIsTerminal ? { kind: 'none' } : { kind: 'stdout' };
  return {
    kind: 'file',
    path: resolve(directory, output),
    format: extname(output).toLowerCase() === '.ndjson' ? 'ndjson' : 'json',
  };
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
