/** What an installation says of `sources.allow`, in its configuration or in its environment. */

import { parseValue } from './configuration-fault.ts';
import { sourceAllowanceSchema } from './source-allowance.ts';

/**
 * Undefined where it says nothing, and its ingests may open cameras only.
 * @param key of the configuration. @param variable SOURCES_ALLOW, which wins. Throws CONFIG_INVALID.
 */
export function givenAllowance(
  key: readonly string[] | undefined,
  variable: string | undefined,
): readonly string[] | undefined {
  if (variable === undefined || variable === '') return key;
  return parseValue(
    sourceAllowanceSchema,
    variable.split(',').map((entry) => entry.trim()),
    'SOURCES_ALLOW',
  );
}
