/** What follows `stream-infer dead-letters`. */

import { Fault } from '@stream-infer/core/fault';
import { HELP, JSON_OPTION } from '../common-options.ts';
import { type OptionTable, parseOptions } from '../option-table.ts';

export const DEAD_LETTERS_OPTIONS = {
  nats: {
    type: 'string',
    value: 'URL',
    description:
      'The NATS server of the system. Default: NATS_URL, or nats://127.0.0.1:4222. As whom, NATS_USER and NATS_PASSWORD, or NATS_CREDS, say.',
  },
  data: {
    type: 'string',
    value: 'FOLDER',
    description: 'Instead of a server: the data folder of the stream-infer up on this machine whose letters they are.',
  },
  all: { type: 'boolean', description: 'replay: every letter of an offline stream, instead of ids.' },
  ...JSON_OPTION,
  ...HELP,
} as const satisfies OptionTable;

export const DEAD_LETTERS_USAGE = 'dead-letters list | show ID… | replay ID…|--all  [OPTIONS]';

export const DEAD_LETTERS_DETAILS = `An invocation whose result is an error leaves a dead letter: what failed, on which frames, and why.

  stream-infer dead-letters list --nats nats://127.0.0.1:4222
  stream-infer dead-letters list --data ./data       (of stream-infer up --data ./data)
  stream-infer dead-letters show 17
  stream-infer dead-letters replay 17 18

replay plays the source again for these windows alone, once the cause is mended. A success takes the
place of the error in the store, and its letter is removed. Frames of realtime streams are gone.

Exit status: 0 done; 1 a replayed window failed again; 2 usage, or a letter that is not there or cannot
be replayed; 4 environment; 130 or 143 interrupted.`;

export type DeadLettersAction = {
  readonly action: 'list' | 'show' | 'replay';
  /** None with `all`. */
  readonly ids: readonly number[];
  readonly all: boolean;
  readonly nats: string | undefined;
  /** As it was given. */
  readonly data: string | undefined;
  readonly json: boolean;
};

/** Throws USAGE. */
export function parseDeadLettersArguments(args: readonly string[]): DeadLettersAction {
  const { values, positionals } = parseOptions(args, DEAD_LETTERS_OPTIONS);
  const [action, ...rest] = positionals;
  if (action !== 'list' && action !== 'show' && action !== 'replay')
    throw new Fault('USAGE', `dead-letters takes list, show or replay: stream-infer ${DEAD_LETTERS_USAGE}`);
  const { all, nats, data, json } = values;
  if (nats !== undefined && data !== undefined)
    throw new Fault('USAGE', '--nats and --data both say which system it is: give one');
  const ids = rest.map(letterId);
  if (all && action !== 'replay') throw new Fault('USAGE', `dead-letters ${action} takes no --all: replay does`);
  if (action === 'list' && ids.length > 0)
    throw new Fault('USAGE', `dead-letters list takes no id: use show ${rest[0]}`);
  if (action !== 'list' && ids.length > 0 === all) {
    const wanted = action === 'show' ? 'ids' : 'ids or --all';
    throw new Fault('USAGE', `dead-letters ${action} takes ${wanted} of letters: see stream-infer dead-letters list`);
  }
  return { action, ids, all, nats, data, json };
}

function letterId(text: string): number {
  const id = Number(text);
  if (Number.isSafeInteger(id) && id > 0) return id;
  throw new Fault(
    'USAGE',
    `${text} is no id of a dead letter: ids are numbers from 1, see stream-infer dead-letters list`,
  );
}
