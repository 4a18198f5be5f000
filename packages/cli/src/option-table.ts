/**
 * Options of a subcommand as one table: what is parsed and what `--help` prints. The first unknown one is refused with the nearest
 * known one.
 */

import { parseArgs } from 'node:util';
import { Fault } from '@stream-infer/core/fault';
import { nearestKey } from '@stream-infer/core/nearest-key';

export type OptionDescription = {
  readonly type: 'string' | 'boolean';
  /** What stands for the value in the help, such as FILE. */
  readonly value?: string;
  readonly multiple?: true;
  readonly description: string;
};

export type OptionTable = Readonly<Record<string, OptionDescription>>;

/** A subcommand as its help tells of it. */
export type Subcommand = {
  readonly usage: string;
  readonly summary: string;
  readonly details: string;
  readonly options: OptionTable;
};

type OptionValue<O extends OptionDescription> = O['type'] extends 'boolean'
  ? boolean
  : O extends { readonly multiple: true }
    ? readonly string[]
    : string | undefined;

export type OptionValues<T extends OptionTable> = { readonly [K in keyof T]: OptionValue<T[K]> };

export type ParsedOptions<T extends OptionTable> = {
  readonly values: OptionValues<T>;
  readonly positionals: readonly string[];
};

/** Throws USAGE for an unknown option, a missing value or one that takes none. */
export function parseOptions<T extends OptionTable>(args: readonly string[], table: T): ParsedOptions<T> {
  const { tokens, positionals } = parseArgs({
    args: [...args],
    options: Object.fromEntries(Object.entries(table).map(([name, { type }]) => [name, { type, multiple: true }])),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const given = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    const option = checkOption(token, table);
    const before = given.get(name) ?? [];
    if (before.length > 0 && !option.multiple && option.type === 'string')
      throw new Fault('USAGE', `${rawName} is given twice: give it once`);
    given.set(name, [...before, value ?? '']);
  }
  const values = Object.entries(table).map(([name, { type, multiple }]) => {
    const found = given.get(name);
    if (type === 'boolean') return [name, found !== undefined];
    return [name, multiple ? (found ?? []) : found?.[0]];
  });
  return { values: Object.fromEntries(values) as OptionValues<T>, positionals };
}

type OptionToken = {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
};

/** The option that is meant, with a value where it takes one. */
function checkOption({ name, rawName, value, inlineValue }: OptionToken, table: OptionTable): OptionDescription {
  const option = Object.hasOwn(table, name) ? table[name] : undefined;
  if (!option) throw unknownOption(rawName, Object.keys(table));
  if (option.type === 'boolean' && value !== undefined) throw new Fault('USAGE', `${rawName} takes no value`);
  const isOption = inlineValue === false && value?.startsWith('--');
  if (option.type === 'string' && (value === undefined || value === '' || isOption))
    throw new Fault('USAGE', `${rawName} needs a value: ${rawName} ${option.value ?? 'VALUE'}`);
  return option;
}

function unknownOption(rawName: string, known: readonly string[]): Fault {
  const nearest = nearestKey(rawName.replace(/^-+/, ''), known);
  return new Fault(
    'USAGE',
    `there is no option ${rawName}: ${nearest ? `did you mean --${nearest}?` : `known are ${known.map((name) => `--${name}`).join(', ')}`}`,
  );
}

const WIDTH = 100;

/** The lines of `--help` for a table. */
export function describeOptions(table: OptionTable): string {
  const rows = Object.entries(table).map(([name, { value, description }]) => ({
    left: `  --${name}${value === undefined ? '' : ` ${value}`}`,
    description,
  }));
  const column = Math.min(34, Math.max(...rows.map(({ left }) => left.length)) + 2);
  return rows
    .map(({ left, description }) => {
      const lines = wrap(description, WIDTH - column).join(`\n${' '.repeat(column)}`);
      return left.length + 2 > column ? `${left}\n${' '.repeat(column)}${lines}` : `${left.padEnd(column)}${lines}`;
    })
    .join('\n');
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
