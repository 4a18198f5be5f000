/**
 * What is wrong with a configuration, in one line that names the key, what was given and what is allowed. Further problems
 * follow on the same line.
 */

import type { z } from 'zod';
import { type Configuration, configurationSchema } from './configuration.ts';
import { checkNames } from './configuration-names.ts';
import { Fault } from './fault.ts';
import { nearestKey } from './nearest-key.ts';
import { redactUrl } from './redact-url.ts';
import { knownKeysAt } from './schema-keys.ts';
import { SECRET_SETTINGS } from './settings.ts';

type Path = readonly PropertyKey[];
type Issue = z.core.$ZodIssue;

/**
 * @param where names the document in messages.
 * Throws CONFIG_UNKNOWN_KEY, CONFIG_INVALID, CONFIG_DUPLICATE_NAME or CONFIG_UNKNOWN_ALGORITHM.
 */
export function parseConfiguration(value: unknown, where: string): Configuration {
  const configuration = parseValue(configurationSchema, value, where);
  checkNames(configuration, where);
  return configuration;
}

/**
 * Any value by its schema: a document, or one option of the command line.
 * @param where names the value, such as `cameras.yaml` or `--fps`. Throws CONFIG_UNKNOWN_KEY or CONFIG_INVALID.
 */
export function parseValue<S extends z.ZodType>(schema: S, value: unknown, where: string): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.flatMap((issue) => resolveUnion(issue));
  // A key with a typing error in it is missing under its right name as well: the wrong one tells more.
  const first = issues.find((issue) => issue.code === 'unrecognized_keys') ?? issues[0];
  if (!first) throw new Fault('CONFIG_INVALID', where);
  const [fault, ...others] = [first, ...issues.filter((issue) => issue !== first)].map((issue) =>
    issueFault(issue, { schema, value, where }),
  ) as [Fault, ...Fault[]];
  throw new Fault(fault.code, [fault.message, ...furtherProblems(others, where)].join('; '));
}

const MOST_FURTHER = 9;

function furtherProblems(faults: readonly Fault[], where: string): readonly string[] {
  const told = faults.slice(0, MOST_FURTHER).map(({ message }) => message.replace(`${where}: `, ''));
  return faults.length > MOST_FURTHER ? [...told, `and ${faults.length - MOST_FURTHER} more`] : told;
}

type Document = { readonly schema: z.ZodType; readonly value: unknown; readonly where: string };

function issueFault(issue: Issue, { schema, value, where }: Document): Fault {
  const place = formatPath(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const [unknown = ''] = issue.keys;
    const known = knownKeysAt(schema, issue.path);
    // Whoever has given a key did not mean it once more.
    const given = Object.keys(valueAt(value, issue.path) ?? {});
    const nearest = nearestKey(
      unknown,
      known.filter((key) => !given.includes(key)),
    );
    const advice = nearest === undefined ? `known are ${known.join(', ')}` : `did you mean ${nearest}?`;
    return new Fault('CONFIG_UNKNOWN_KEY', `${where}: ${formatPath([...issue.path, unknown])} is unknown: ${advice}`);
  }
  const given = valueAt(value, issue.path);
  if (given === undefined && issue.path.length > 0)
    return new Fault('CONFIG_INVALID', `${where}: ${place} is missing: it ${allowed(issue)}`);
  const culprit = place === '' ? where : `${where}: ${place}`;
  const shown = SECRET_SETTINGS.includes(String(issue.path.at(-1))) ? '***' : quote(given);
  return new Fault('CONFIG_INVALID', `${culprit} is ${shown}: it ${allowed(issue)}${meantValue(issue, given)}`);
}

/** The value that was most likely meant, to be put behind what is allowed; empty where there is none. */
export function meantValue(issue: Issue, given: unknown): string {
  if (issue.code !== 'invalid_value' || typeof given !== 'string') return '';
  const nearest = nearestKey(given, issue.values.map(String));
  return nearest === undefined ? '' : `: did you mean ${nearest}?`;
}

/** What a value must be, as a phrase that follows "it". */
function allowed(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${TYPES[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be ${issue.values.map(String).join(', ')}`.replace(/, ([^,]*)$/, ' or $1');
    case 'too_small':
      return `must ${size(issue.origin, `at least ${issue.minimum}`)}`;
    case 'too_big':
      return `must ${size(issue.origin, `at most ${issue.maximum}`)}`;
    case 'invalid_union':
      return `must be ${[...new Set(issue.errors.flatMap(([first]) => (first ? [allowed(first)] : [])))]
        .map((phrase) => phrase.replace(/^must be /, ''))
        .join(' or ')}`;
    default:
      return issue.message.startsWith('must') ? issue.message : `is refused: ${issue.message}`;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  object: 'a mapping of keys to values',
  record: 'a mapping of keys to values',
  array: 'a list',
};

function size(origin: string, bound: string): string {
  if (origin === 'array') return `have ${bound} entries`.replace(/\b1 entries/, '1 entry');
  if (origin === 'string') return `have ${bound} characters`.replace(/\b1 characters/, '1 character');
  return `be ${bound}`;
}

/** The problems of the alternative that was meant: the one whose type fits; the union's own where none or no single one does. */
function resolveUnion(issue: Issue): readonly Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const fitting = issue.errors.filter((issues) => issues.every((inner) => !isTypeMismatch(inner)));
  const [meant] = fitting;
  if (!meant) return [issue];
  // Of several of the right type, an unknown key tells more than what is missing for the lack of it.
  const unknown = meant.find((inner) => inner.code === 'unrecognized_keys');
  return (unknown ? [unknown] : meant).flatMap((inner) =>
    resolveUnion({ ...inner, path: [...issue.path, ...inner.path] }),
  );
}

const isTypeMismatch = (issue: Issue): boolean =>
  issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');

/** `streams[0].fps` */
function formatPath(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined),
    value,
  );
}

const QUOTED_LENGTH = 60;

/** A value as it was given, cut short and without credentials (I8). */
function quote(value: unknown): string {
  if (value === undefined) return 'empty';
  const text = redactUrl(JSON.stringify(value) ?? String(value));
  return text.length <= QUOTED_LENGTH ? text : `${text.slice(0, QUOTED_LENGTH - 1)}…`;
}
