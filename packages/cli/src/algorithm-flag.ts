/**
 * `--algorithm NAME=USE[,key=value…]`: an algorithm's definition on one line. Keys of the schedule go to the definition, all others
 * to the options of the algorithm; dots nest (nms.iou=0.5), with numbers for the places of a list (inputs.0.name=x).
 */

import {
  type AlgorithmDefinition,
  algorithmDefinitionSchema,
  runnerShape,
  scheduleShape,
} from '@stream-infer/core/algorithm-definition';
import { parseValue } from '@stream-infer/core/configuration-fault';
import { Fault } from '@stream-infer/core/fault';
import type { Json } from '@stream-infer/core/json';
import { nameFrom } from '@stream-infer/core/names';
import { nearestKey } from '@stream-infer/core/nearest-key';

const SCHEDULE_KEYS = Object.keys({ ...scheduleShape, state: true, ...runnerShape });
const EXAMPLE = '--algorithm stats=frame-stats,interval=1';

/** What dots make: by key, or by place. */
type Tree = Map<string, Tree | Json>;

/**
 * Throws USAGE where the text is not of this shape, CONFIG_INVALID where a value is out of its range. Without `NAME=` the name is
 * that of what is used.
 */
export function parseAlgorithmFlag(text: string): AlgorithmDefinition {
  const [head = '', ...pairs] = splitList(text);
  const equals = head.indexOf('=');
  const use = head.slice(equals + 1);
  if (use === '') throw new Fault('USAGE', `--algorithm ${text} names nothing to use: write it as ${EXAMPLE}`);
  const name = equals === -1 ? nameFrom((use.split('/').at(-1) ?? use).replace(/\.[^.]*$/, '')) : head.slice(0, equals);
  const definition: Record<string, unknown> = { name, use };
  const tree: Tree = new Map();
  for (const pair of pairs) {
    const [key, value] = splitPair(pair, name);
    if (SCHEDULE_KEYS.includes(key)) definition[key] = parseScalar(value, pair, name);
    else nest(tree, key, parseScalar(value, pair, name), name);
  }
  const options = Object.fromEntries([...tree].map(([key, value]) => [key, fromTree(value, key, name)]));
  return parseValue(algorithmDefinitionSchema, { ...definition, options }, `--algorithm ${name}`);
}

/** Options that were meant for the schedule, by the look of them: a module takes any option, so nobody else would tell. */
export function suspectOptions({ name, options }: AlgorithmDefinition): readonly string[] {
  return Object.keys(options).flatMap((key) => {
    const meant = nearestKey(key, SCHEDULE_KEYS);
    return meant === undefined
      ? []
      : `--algorithm ${name}: ${key} is handed to the algorithm as an option of its own: did you mean ${meant}?`;
  });
}

function splitPair(pair: string, name: string): [key: string, value: string] {
  const equals = pair.indexOf('=');
  if (equals < 1)
    throw new Fault(
      'USAGE',
      `--algorithm ${name}: ${pair === '' ? 'a comma with nothing after it' : `${pair} is no key=value`}: write it as ${EXAMPLE}`,
    );
  const key = pair.slice(0, equals);
  const meant = SCHEDULE_KEYS.find((known) => known !== key && known.toLowerCase() === key.toLowerCase());
  if (meant) throw new Fault('USAGE', `--algorithm ${name}: there is no key ${key}: did you mean ${meant}?`);
  return [key, pair.slice(equals + 1)];
}

/** Splits at the commas that no bracket, brace or quote encloses. */
export function splitList(text: string): string[] {
  const parts: string[] = [''];
  let depth = 0;
  let quoted = false;
  for (const [index, letter] of [...text].entries()) {
    if (letter === '"' && text[index - 1] !== '\\') quoted = !quoted;
    if (!quoted && '[{'.includes(letter)) depth += 1;
    if (!quoted && ']}'.includes(letter)) depth -= 1;
    if (letter === ',' && depth <= 0 && !quoted) parts.push('');
    else parts[parts.length - 1] += letter;
  }
  return parts;
}

/** Numbers, true, false, null, JSON in braces or quotes, lists in brackets whose words need no quotes; all else is text. Throws USAGE. */
export function parseScalar(text: string, pair: string, name: string): Json {
  if (/^-?(?:0|[1-9]\d*)?(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text) && /^-?\.?\d/.test(text)) return Number(text);
  if (!/^(?:true$|false$|null$|[[{"])/.test(text)) return text;
  try {
    return JSON.parse(text) as Json;
  } catch {
    if (text.startsWith('[') && text.endsWith(']'))
      return splitList(text.slice(1, -1)).map((item) => parseScalar(item.trim(), pair, name));
    throw new Fault(
      'USAGE',
      `--algorithm ${name}: ${pair} is no JSON: quote it for the shell, as in 'labels=["a","b"]', or use a configuration file`,
    );
  }
}

function nest(tree: Tree, key: string, value: Json, name: string): void {
  const [first = key, ...rest] = key.split('.');
  if (first === '' || first === '__proto__') throw new Fault('USAGE', `--algorithm ${name}: ${key} is no key`);
  if (rest.length === 0) {
    tree.set(first, value);
    return;
  }
  const inner = tree.get(first);
  const nested: Tree = inner instanceof Map ? inner : new Map(isMapping(inner) ? Object.entries(inner) : []);
  nest(nested, rest.join('.'), value, name);
  tree.set(first, nested);
}

function fromTree(value: Tree | Json, key: string, name: string): Json {
  if (!(value instanceof Map)) return value;
  const entries = [...value].map(([inner, item]) => [inner, fromTree(item, `${key}.${inner}`, name)] as const);
  if (!entries.every(([inner]) => /^\d+$/.test(inner))) return Object.fromEntries(entries);
  const list = entries.toSorted(([a], [b]) => Number(a) - Number(b));
  const hole = list.findIndex(([inner], index) => Number(inner) !== index);
  if (hole >= 0)
    throw new Fault('USAGE', `--algorithm ${name}: ${key}.${list[hole]?.[0]} is given and ${key}.${hole} is not`);
  return list.map(([, item]) => item);
}

const isMapping = (value: Tree | Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Map);
