/** What the command and its file name as sources, those that `sourceFrom` points to included. Secret. */

import { readFile } from 'node:fs/promises';
import type { StreamSpec } from '@stream-infer/core/stream-spec';

export type Sourced = Partial<{ readonly [K in 'source' | 'sourceFrom']: StreamSpec[K] | undefined }>;

/** What is not there is left out: the ingest tells of it. */
export async function namedSources(streams: readonly Sourced[], environment: NodeJS.ProcessEnv): Promise<string[]> {
  const found = await Promise.all(streams.map((stream) => sourceText(stream, environment)));
  return found.map((text) => text.trim()).filter((text) => text !== '');
}

async function sourceText({ source, sourceFrom }: Sourced, environment: NodeJS.ProcessEnv): Promise<string> {
  if (source !== undefined || sourceFrom === undefined) return source ?? '';
  if ('env' in sourceFrom) return environment[sourceFrom.env] ?? '';
  return readFile(sourceFrom.file, 'utf8').catch(() => '');
}
