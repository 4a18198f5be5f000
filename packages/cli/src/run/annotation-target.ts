/** Which video `--annotate` makes of which stream. */

import { extname, resolve } from 'node:path';
import { Fault } from '@stream-infer/core/fault';
import { sourceKind } from '@stream-infer/core/source-kind';
import type { StreamSpec } from '@stream-infer/core/stream-spec';

/** Stream id → path of its video: the one named, or one for each stream where there are several. Throws USAGE. */
export function annotationTargets(
  file: string | undefined,
  specs: readonly StreamSpec[],
  directory: string,
): ReadonlyMap<string, string> {
  if (file === undefined) return new Map();
  if (extname(file).toLowerCase() !== '.mp4')
    throw new Fault('USAGE', `--annotate ${file}: name a file that ends in .mp4`);
  const live = specs.find(
    ({ mode, source }) => mode !== 'offline' || source === undefined || sourceKind(source) !== 'file',
  );
  if (live) throw new Fault('USAGE', `--annotate works on files played offline, and stream ${live.id} is none`);
  const path = resolve(directory, file);
  const stem = path.slice(0, -extname(path).length);
  return new Map(specs.map(({ id }) => [id, specs.length === 1 ? path : `${stem}-${id}.mp4`]));
}
