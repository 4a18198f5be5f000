/**
 * Whether what stands in a bucket of the registry is a value of it, as far as services rely on it without looking: anybody may write
 * there, and one wrong value must not stop who looks after all the others. What a source or an algorithm is configured to is checked
 * where that one stream is played.
 */

import { isName } from '@stream-infer/core/names';

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string';
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isToken = (value: unknown): boolean => isText(value) && isName(value);
const isListOf = (value: unknown, accepts: (item: Fields) => boolean): boolean =>
  Array.isArray(value) && value.every((item) => isObject(item) && accepts(item));

const isSpec = (value: unknown, stream: string): boolean =>
  isObject(value) &&
  value.id === stream &&
  (value.mode === 'offline' || value.mode === 'realtime') &&
  isListOf(value.algorithms, ({ name, definition }) => isToken(name) && isText(definition));

export const isRegisteredStream = (value: unknown, key: string): boolean => isSpec(value, key);

const isFault = (value: unknown): boolean => isObject(value) && isText(value.code) && isText(value.message);

const isFacts = ({ source, frame, frames, capacity }: Fields): boolean =>
  isObject(source) &&
  isText(source.fps) &&
  isObject(frame) &&
  isCount(frame.width) &&
  isCount(frame.height) &&
  isText(frames) &&
  isCount(capacity);

function isRunState(state: unknown): boolean {
  if (!isObject(state)) return false;
  switch (state.kind) {
    case 'claimed':
      return true;
    case 'playing':
      return isFacts(state);
    case 'ended':
      return state.facts === undefined || (isObject(state.facts) && isFacts(state.facts));
    case 'failed':
      return isFault(state.fault);
    default:
      return false;
  }
}

export const isRun = (value: unknown, key: string): boolean =>
  isObject(value) &&
  value.stream === key &&
  isToken(value.run) &&
  isCount(value.epoch) &&
  isText(value.owner) &&
  isCount(value.specRevision) &&
  isSpec(value.spec, key) &&
  (value.newest === undefined || isNewestFrame(value.newest)) &&
  isRunState(value.state);

const isNewestFrame = (value: unknown): boolean => isObject(value) && isCount(value.n) && isPositive(value.atMs);

export const isRunner = (value: unknown, key: string): boolean =>
  isObject(value) &&
  value.id === key &&
  isText(value.address) &&
  /^.+:\d+$/.test(value.address) &&
  isCount(value.beat) &&
  isListOf(value.algorithms, ({ definition, concurrency }) => isText(definition) && isCount(concurrency));

export const isMember = (value: unknown, key: string): boolean =>
  isObject(value) && isText(value.id) && `${String(value.role)}.${value.id}` === key;

/** What an algorithm remembered behind window n; its bytes in base64. */
export const isSnapshot = (value: unknown): boolean => isObject(value) && isCount(value.n) && isText(value.bytes);

export const isAssignment = (value: unknown): boolean => isObject(value) && isText(value.owner);

const isPositive = (value: unknown): boolean => typeof value === 'number' && value > 0 && Number.isFinite(value);

export const isCost = (value: unknown): boolean =>
  isObject(value) &&
  isText(value.version) &&
  isListOf(value.sizes, (size) => ['upTo', 'batches', 'windows', 'msPerWindow'].every((key) => isPositive(size[key])));
