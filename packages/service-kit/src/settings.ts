/** Settings of one process: its section of the configuration file, over it the environment; read once, at the start. */

import { resolve } from 'node:path';
import { type BusSettings, busSettingsSchema } from '@stream-infer/core/bus-settings';
import { meantValue } from '@stream-infer/core/configuration-fault';
import { Fault } from '@stream-infer/core/fault';
import { redactUrl } from '@stream-infer/core/redact-url';
import {
  environmentName,
  FILE_SETTINGS,
  FILES_SETTINGS,
  MEMORY_STORE,
  SECRET_SETTINGS,
  SERVICE_SETTINGS,
  type ServiceSection,
  type Settings,
} from '@stream-infer/core/settings';

/** What a file says, and where it lies. */
export type FileSection = {
  readonly values: Readonly<Record<string, unknown>> | undefined;
  readonly directory: string;
};

/** Throws CONFIG_INVALID naming the variable or key. */
export function readSettings<S extends ServiceSection>(
  section: S,
  file: FileSection | undefined,
  environment: NodeJS.ProcessEnv,
): Settings<S> {
  return read(SERVICE_SETTINGS[section], { section, file, environment }) as Settings<S>;
}

/** How to reach the bus, for a process that is no service. Throws CONFIG_INVALID naming the variable. */
export const readBusSettings = (environment: NodeJS.ProcessEnv): BusSettings =>
  read(busSettingsSchema, { section: 'bus', file: undefined, environment }) as BusSettings;

/** Of several files with commas each. */
const anchored = (key: string, value: string, directory: string): string =>
  (FILES_SETTINGS.includes(key) ? value.split(',') : [value]).map((path) => resolve(directory, path.trim())).join();

type Schema = (typeof SERVICE_SETTINGS)[ServiceSection] | typeof busSettingsSchema;

type Given = {
  readonly section: string;
  readonly file: FileSection | undefined;
  readonly environment: NodeJS.ProcessEnv;
};

function read(schema: Schema, { section, file, environment }: Given): unknown {
  const given: Record<string, unknown> = { ...file?.values };
  for (const key of FILE_SETTINGS) {
    const path = given[key];
    if (file && typeof path === 'string' && path !== MEMORY_STORE) given[key] = anchored(key, path, file.directory);
  }
  for (const key of Object.keys(schema.shape)) {
    const value = environment[environmentName(key)];
    if (value !== undefined && value !== '') given[key] = value;
  }
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const key = String(issue?.path[0] ?? section);
  const fromEnvironment = environment[environmentName(key)] !== undefined;
  const value = SECRET_SETTINGS.includes(key) ? '***' : redactUrl(JSON.stringify(given[key]) ?? 'missing');
  throw new Fault(
    'CONFIG_INVALID',
    `${fromEnvironment ? environmentName(key) : `${section}.${key}`} is ${value}: ${issue?.message ?? 'invalid'}${issue ? meantValue(issue, given[key]) : ''}`,
  );
}
