/**
 * JSON with one spelling for each value (RFC 8785): keys sorted by UTF-16 code units, the shortest numbers, no white space. Equal
 * results are equal bytes (I2), and whatever JSON cannot hold is refused by name instead of vanishing.
 */

import { Fault } from './fault.ts';

const DEEPEST = 1_000;

/** Throws RESULT_NOT_JSON naming the path of what JSON cannot hold, such as `$.boxes[0]`. */
export function canonicalJson(value: unknown): string {
  return write(value, { path: [], open: new Set() });
}

/** Where the writer stands: keys from the root, and the objects that it is inside of. */
type Place = { readonly path: (string | number)[]; readonly open: Set<object> };

function write(value: unknown, place: Place): string {
  switch (typeof value) {
    case 'boolean':
      return String(value);
    case 'number':
      return Number.isFinite(value) ? JSON.stringify(value) : refuse(String(value), place);
    case 'string':
      return value.isWellFormed() ? JSON.stringify(value) : refuse('a string with half of a surrogate pair', place);
    case 'object':
      return value === null ? 'null' : writeObject(value, place);
    case 'undefined':
      return refuse('undefined', place);
    case 'bigint':
    case 'function':
    case 'symbol':
      return refuse(`a ${typeof value}`, place);
  }
}

function writeObject(value: object, place: Place): string {
  if (place.open.has(value)) refuse('a cycle', place);
  if (place.open.size === DEEPEST) refuse(`nested deeper than ${DEEPEST} levels`, place);
  place.open.add(value);
  const text = Array.isArray(value) ? writeArray(value, place) : writeMembers(value, place);
  place.open.delete(value);
  return text;
}

function writeArray(values: readonly unknown[], place: Place): string {
  let text = '[';
  for (let i = 0; i < values.length; i += 1) {
    place.path.push(i);
    text += (i === 0 ? '' : ',') + write(values[i], place);
    place.path.pop();
  }
  return `${text}]`;
}

function writeMembers(value: object, place: Place): string {
  // Maps, typed arrays, dates and the like: JSON would silently make something else of them.
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  if (kind !== 'Object') refuse(`a ${kind}`, place);
  if (Object.getOwnPropertySymbols(value).length > 0) refuse('an object with a symbol for a key', place);
  let text = '{';
  for (const key of Object.keys(value).sort()) {
    place.path.push(key);
    if (!key.isWellFormed()) refuse('a key with half of a surrogate pair', place);
    text += `${text === '{' ? '' : ','}${JSON.stringify(key)}:${write(Reflect.get(value, key), place)}`;
    place.path.pop();
  }
  return `${text}}`;
}

function refuse(what: string, { path }: Place): never {
  const steps = path.map((step) => {
    if (typeof step === 'number') return `[${step}]`;
    return /^[A-Za-z_$][\w$]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
  });
  throw new Fault(
    'RESULT_NOT_JSON',
    `the result holds ${what} at $${steps.join('')}: return null, booleans, finite numbers, strings, and arrays and plain objects of them`,
  );
}
