/** Where a stream's video comes from, as the API takes it: absolute, since the API shares no folder with who asks. */

import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sourceKind } from '@stream-infer/core/source-kind';
import type { StreamDefinitionInput } from '@stream-infer/core/stream-definition';

type Sourced = Pick<StreamDefinitionInput, 'source' | 'sourceFrom'>;

/** The definition with its paths absolute; relative ones are relative to `directory`. */
export function anchored<D extends Sourced>(definition: D, directory: string): D {
  const { source, sourceFrom } = definition;
  return {
    ...definition,
    ...(source !== undefined && { source: absoluteSource(source, directory) }),
    ...(sourceFrom && 'file' in sourceFrom && { sourceFrom: { file: resolve(directory, sourceFrom.file) } }),
  };
}

function absoluteSource(source: string, directory: string): string {
  if (sourceKind(source) !== 'file') return source;
  return resolve(directory, /^file:\/\//i.test(source) ? fileURLToPath(source) : source);
}
