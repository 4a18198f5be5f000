/** Which algorithms of the configuration this runner serves. */

import type { AlgorithmDefinition } from '@stream-infer/core/algorithm-definition';
import { Fault } from '@stream-infer/core/fault';

/**
 * @param serve names with commas; undefined for all.
 * Throws CONFIG_UNKNOWN_ALGORITHM where one of the names is not defined.
 */
export function servedDefinitions(
  definitions: readonly AlgorithmDefinition[],
  serve: string | undefined,
): readonly AlgorithmDefinition[] {
  const wanted = (serve ?? '').split(',').flatMap((name) => name.trim() || []);
  if (wanted.length === 0) return definitions;
  const known = definitions.map(({ name }) => name);
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown === undefined) return definitions.filter(({ name }) => wanted.includes(name));
  throw new Fault(
    'CONFIG_UNKNOWN_ALGORITHM',
    `algoRunner.serve names ${unknown}, and the configuration defines ${known.join(', ')}: name some of these`,
  );
}
