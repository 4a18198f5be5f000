/** Whether what `use` names can be a module: asked without loading it. */
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { Fault } from '@stream-infer/core/fault';
import { nearestKey } from '@stream-infer/core/nearest-key';
import { BUILT_IN_ALGORITHMS } from './registry.ts';

const EXTENSIONS = ['.ts', '.mts', '.mjs', '.js', '.cjs'];

/** Fault: MODULE_NOT_FOUND. @param use as the configuration has it. @param path of it, absolute. */
export async function assertModuleFile(name: string, use: string, path: string): Promise<void> {
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isFile() && EXTENSIONS.includes(extname(path))) return;
  const builtIn = Object.keys(BUILT_IN_ALGORITHMS);
  const meant = stats === undefined ? nearestKey(use, builtIn) : undefined;
  if (meant !== undefined)
    throw new Fault(
      'MODULE_NOT_FOUND',
      `algorithm "${name}" uses ${use}, which is no built-in and no file: did you mean ${meant}?`,
    );
  const what = stats === undefined ? 'does not exist' : `is not a module (${EXTENSIONS.join(', ')})`;
  const remedy = `use takes a built-in (${builtIn.join(', ')}) or the path of a module, relative to the configuration or to where the command is given`;
  throw new Fault('MODULE_NOT_FOUND', `algorithm "${name}" uses ${use}, and ${path} ${what}: ${remedy}`);
}
