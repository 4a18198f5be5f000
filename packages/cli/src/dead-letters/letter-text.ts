/** Dead letters as people read them. */

import type { StoredLetter } from '@stream-infer/bus/dead-letters';
import { formatTable } from '../terminal/table.ts';
import type { Replayed } from './replay.ts';

const MESSAGE_WIDTH = 60;

/** A line each. */
export function letterTable(letters: readonly StoredLetter[]): string {
  if (letters.length === 0) return 'there are no dead letters';
  return formatTable(
    ['id', 'stream', 'algorithm', 'at', 'attempts', 'died', 'fault'],
    letters.map(({ id, letter }) => [
      String(id),
      letter.stream,
      letter.algorithm,
      `${letter.key} s`,
      String(letter.attempts),
      timeOf(letter.diedAtMs),
      shortened(`${letter.error.code}: ${letter.error.message}`),
    ]),
  );
}

/** All of one. */
export function letterSheet({ id, letter }: StoredLetter): string {
  const { stream, run, algorithm, definition, n, key, mode, window, error, attempts, specHash, diedAtMs } = letter;
  return formatTable(
    ['dead letter', String(id)],
    [
      ['stream', `${stream}, ${mode}`],
      ['run', run],
      ['algorithm', algorithm === definition ? algorithm : `${algorithm} (${definition})`],
      ['window', `${key} s, n ${n}`],
      ['frames', window.map(({ n: number, sourceIndex }) => `${number} (source frame ${sourceIndex})`).join(', ')],
      ['fault', `${error.code}: ${error.message}`],
      ['attempts', String(attempts)],
      ['died', timeOf(diedAtMs)],
      ['spec', specHash],
    ],
  );
}

/**
 * A line for each: mended, or what is still wrong.
 * @param gone how many were passed over, since their streams are played in realtime.
 */
export function replayTable(replayed: readonly Replayed[], gone = 0): string {
  const letters = gone === 1 ? '1 dead letter is of a realtime stream' : `${gone} dead letters are of realtime streams`;
  const rest = `${letters} and cannot be replayed: the frames are gone`;
  if (replayed.length === 0) return gone === 0 ? 'there is nothing to replay' : `there is nothing to replay: ${rest}`;
  return gone === 0 ? table(replayed) : `${table(replayed)}\n${rest}`;
}

function table(replayed: readonly Replayed[]): string {
  return formatTable(
    ['id', 'stream', 'algorithm', 'at', 'outcome'],
    replayed.map(({ id, letter: { stream, algorithm, key }, fault }) => [
      String(id),
      stream,
      algorithm,
      `${key} s`,
      fault ? `failed again: ${fault.code}: ${fault.message}` : 'mended',
    ]),
  );
}

const timeOf = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

const shortened = (text: string): string =>
  text.length <= MESSAGE_WIDTH ? text : `${text.slice(0, MESSAGE_WIDTH - 1)}…`;
