/** The configuration file: YAML (or JSON) read, parsed and validated whole. */

import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Configuration } from '@stream-infer/core/configuration';
import { parseConfiguration } from '@stream-infer/core/configuration-fault';
import { Fault } from '@stream-infer/core/fault';
import { parseDocument } from 'yaml';

export type LoadedConfiguration = {
  readonly configuration: Configuration;
  readonly path: string;
  /** What stood in the file. */
  readonly text: string;
  /** Absolute; relative paths in the configuration are relative to it. */
  readonly directory: string;
};

/**
 * @param directory what relative paths in it are relative to, where that is not the file's own.
 * Throws CONFIG_NOT_FOUND, CONFIG_SYNTAX (with line and column) or what parseConfiguration throws.
 */
export async function readConfigurationFile(path: string, directory = dirname(path)): Promise<LoadedConfiguration> {
  const text = await readText(path);
  const configuration = parseConfiguration(parseYaml(text, path), path);
  return { configuration, path, text, directory: resolve(directory) };
}

/** What the file holds, of whatever shape. Throws CONFIG_NOT_FOUND or CONFIG_SYNTAX. */
export const readYamlFile = async (path: string): Promise<unknown> => parseYaml(await readText(path), path);

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new Fault('CONFIG_NOT_FOUND', `${path} cannot be read: give the path of a configuration file`, {
      cause: error,
    });
  }
}

function parseYaml(text: string, path: string): unknown {
  const document = parseDocument(text);
  const problem = document.errors[0];
  if (!problem) return document.toJS();
  // What is wrong and where, then the line that it is in, with a caret below the place.
  const [what = '', ...lines] = problem.message.trimEnd().split('\n');
  const excerpt = lines.filter((line) => line.trim() !== '').join('\n');
  throw new Fault('CONFIG_SYNTAX', `${path}: ${what.replace(/:$/, '')}`, { excerpt });
}
