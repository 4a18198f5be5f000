/**
 * Whether what came as an announcement is one, as far as its listeners rely on it: anybody may publish there. `stream` is that of the
 * subject, for which alone it may speak.
 */

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isFigure = (value: unknown): boolean => typeof value === 'number';
const isFigureOrNull = (value: unknown): boolean => value === null || isFigure(value);
const isAbsentOr = (value: unknown, accepts: (value: unknown) => boolean): boolean => value == null || accepts(value);
const isText = (value: unknown): boolean => typeof value === 'string';

const isFault = (value: unknown): boolean => isObject(value) && isText(value.code) && isText(value.message);

const isOfEpoch = (value: unknown): value is Fields => isObject(value) && isText(value.run) && isCount(value.epoch);

export const isReleased = (value: unknown): boolean => isOfEpoch(value) && isCount(value.through);

export const isRewind = (value: unknown): boolean => isOfEpoch(value);

const isCondition = (value: unknown): boolean =>
  isObject(value) && isText(value.state) && isText(value.reason) && isFigure(value.sinceMs);

export const isSourceStatus = (value: unknown, stream: string): boolean =>
  isObject(value) &&
  value.stream === stream &&
  isText(value.run) &&
  isCondition(value.condition) &&
  isAbsentOr(value.fault, isFault) &&
  isAbsentOr(value.retryInMs, isFigure) &&
  isFigure(value.framesPerSecond) &&
  isFigureOrNull(value.lastFrameAgeMs) &&
  isCount(value.decoded) &&
  isCount(value.published);

const isAlgorithmStatus = (value: unknown): boolean =>
  isObject(value) &&
  isCount(value.triggered) &&
  isCount(value.completed) &&
  isCount(value.failed) &&
  isAbsentOr(value.lastError, isFault) &&
  isObject(value.dropped) &&
  Object.values(value.dropped).every(isCount);

export const isLaneStatus = (value: unknown, stream: string): boolean =>
  isObject(value) &&
  value.stream === stream &&
  isText(value.run) &&
  isObject(value.algorithms) &&
  Object.values(value.algorithms).every(isAlgorithmStatus);
