/**
 * `--algorithm NAME=USE[,key=value…]`: an algorithm's definition on one line. Keys of the schedule go to the definition, all others
 * to the options of the algorithm; dots nest (nms.iou=0.5).
 */

import {
  type AlgorithmDefinition,
  algorithmDefinitionSchema,
  scheduleShape,
} from '@stream-infer/core/algorithm-definition';
import { parseValue } from '@stream-infer/core/configuration-fault';
import { Fault } from '@stream-infer/core/fault';
import type { Json } from '@stream-infer/core/json';
import { nameFrom } from '@stream-infer/core/names';

const SCHEDULE_KEYS = [...Object.keys(scheduleShape), 'state', 'concurrency'];
const EXAMPLE = '--algorithm stats=frame-stats,interval=1';

type Options = { [key: string]: Json };

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
  const options: Options = {};
  for (const pair of pairs) {
    const [key, value] = splitPair(pair, name);
    if (SCHEDULE_KEYS.includes(key)) definition[key] = parseScalar(value);
    else nest(options, key, parseScalar(value), name);
  }
  return parseValue(algorithmDefinitionSchema, { ...definition, options }, `--algorithm ${name}`);
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
function splitList(text: string): string[] {
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

/** Numbers, true, false, null, and JSON in brackets, braces or quotes; all else is text. */
function parseScalar(text: string): Json {
  if (/^-?(?:0|[1-9]\d*)?(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text) && /^-?\.?\d/.test(text)) return Number(text);
  if (!/^(?:true$|false$|null$|[[{"])/.test(text)) return text;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function nest(options: Options, key: string, value: Json, name: string): void {
  const [first = key, ...rest] = key.split('.');
  if (first === '' || first === '__proto__') throw new Fault('USAGE', `--algorithm ${name}: ${key} is no key`);
  if (rest.length === 0) {
    options[first] = value;
    return;
  }
  const inner = Object.hasOwn(options, first) ? options[first] : {};
  const nested: Options = isMapping(inner) ? { ...inner } : {};
  nest(nested, rest.join('.'), value, name);
  options[first] = nested;
}

const isMapping = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
