/** What is wrong with a configuration, in one line that names the key, what was given and what is allowed. */

import type { z } from 'zod';
import { type Configuration, configurationSchema } from './configuration.ts';
import { Fault } from './fault.ts';

/** @param where names the document in messages. Throws CONFIG_UNKNOWN_KEY, CONFIG_INVALID or CONFIG_DUPLICATE_NAME. */
export function parseConfiguration(value: unknown, where: string): Configuration {
  const parsed = configurationSchema.safeParse(value);
  if (!parsed.success) throw configurationFault(parsed.error, where);
  return parsed.data;
}

function configurationFault(error: z.ZodError, where: string): Fault {
  const issue = error.issues[0];
  return new Fault('CONFIG_INVALID', `${where}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`);
}
