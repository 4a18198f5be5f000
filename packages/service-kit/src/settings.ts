/** Settings of one service: its section of the configuration file, over it the environment; read once, at the start. */

import { Fault } from '@stream-infer/core/fault';
import { environmentName, SERVICE_SETTINGS, type ServiceSection, type Settings } from '@stream-infer/core/settings';

/** Throws CONFIG_INVALID naming the variable or key. */
export function readSettings<S extends ServiceSection>(
  section: S,
  file: Readonly<Record<string, unknown>> | undefined,
  environment: NodeJS.ProcessEnv,
): Settings<S> {
  const schema = SERVICE_SETTINGS[section];
  const given: Record<string, unknown> = { ...file };
  for (const key of Object.keys(schema.shape)) {
    const value = environment[environmentName(key)];
    if (value !== undefined && value !== '') given[key] = value;
  }
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data as Settings<S>;
  const issue = parsed.error.issues[0];
  const key = String(issue?.path[0] ?? section);
  const fromEnvironment = environment[environmentName(key)] !== undefined;
  throw new Fault(
    'CONFIG_INVALID',
    `${fromEnvironment ? environmentName(key) : `${section}.${key}`} is ${JSON.stringify(given[key])}: ${issue?.message ?? 'invalid'}`,
  );
}
