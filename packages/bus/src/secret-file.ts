/**
 * A file with a secret or a certificate, read again whenever it is needed, so that whoever replaces it restarts nothing. What could be read once
 * goes on to count while the file cannot be.
 */

import { readFileSync } from 'node:fs';
import { Fault } from '@stream-infer/core/fault';

export type SecretFile = {
  readonly path: string;
  /** Without the line's end. */
  text(): string;
};

/** @param setting that names it. Throws CREDENTIALS_INVALID where the file cannot be read, or is empty. */
export function secretFile(setting: string, path: string): SecretFile {
  let last = read(setting, path);
  return {
    path,
    text() {
      try {
        last = read(setting, path);
      } catch {
        // It is being replaced, or was lost: whoever is refused with what it said tells so.
      }
      return last;
    },
  };
}

function read(setting: string, path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new Fault('CREDENTIALS_INVALID', `${path} cannot be read: ${setting} names it`, { cause: error });
  }
  if (text === '') throw new Fault('CREDENTIALS_INVALID', `${path} is empty: ${setting} names it`);
  return text;
}
