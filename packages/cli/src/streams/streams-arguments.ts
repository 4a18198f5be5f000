/** What `stream-infer streams` takes: an action, its arguments and its options. */

import { scheduleShape } from '@stream-infer/core/algorithm-definition';
import { Fault } from '@stream-infer/core/fault';
import { nearestKey } from '@stream-infer/core/nearest-key';
import { HELP, JSON_OPTION, STREAM_FLAGS } from '../common-options.ts';
import { type OptionTable, type OptionValues, parseOptions, type Subcommand } from '../option-table.ts';

const COMMON = {
  api: {
    type: 'string',
    value: 'URL',
    description: 'Where the API is. Default: STREAM_INFER_API, else http://127.0.0.1:8080.',
  },
  'token-file': {
    type: 'string',
    value: 'FILE',
    description: 'The token of the API, where it needs one. Default: that of STREAM_INFER_TOKEN.',
  },
  ...JSON_OPTION,
  ...HELP,
} as const satisfies OptionTable;

const DEFINITION = {
  file: { type: 'string', value: 'FILE', description: 'The stream from a YAML file; flags go before it.' },
  algorithm: {
    type: 'string',
    value: 'NAME[,key=value…]',
    multiple: true,
    description: `An algorithm of the installation, with what differs on this stream (as, ${Object.keys(scheduleShape).join(', ')}). May be given several times. Default: all.`,
  },
  ...STREAM_FLAGS,
} as const satisfies OptionTable;

const UPDATE = {
  source: { type: 'string', value: 'SOURCE', description: 'Another source.' },
  ...DEFINITION,
} as const satisfies OptionTable;

const APPLY = {
  owner: {
    type: 'string',
    value: 'NAME',
    description:
      'Whose list it is; what this owner had applied and is not listed any more is removed. Words with / between them, such as helm/site. Default: cli.',
  },
  wait: {
    type: 'string',
    value: 'SECONDS',
    description:
      'How long to wait for an API that is not there yet, or does not know an algorithm of the list yet. Default: not at all.',
  },
} as const satisfies OptionTable;

const LIST = {
  all: { type: 'boolean', description: 'Also streams that are removed, of which results are left.' },
} as const satisfies OptionTable;

/** As the help of all actions tells of what some take. */
const of = (actions: string, table: OptionTable): OptionTable =>
  Object.fromEntries(
    Object.entries(table).map(([name, option]) => {
      const description = `${actions}: ${option.description}`;
      return [name, { ...option, description }];
    }),
  );

/** All that `streams --help` tells of. */
export const STREAMS_OPTIONS: OptionTable = {
  ...of('update', UPDATE),
  ...of('add, update', DEFINITION),
  ...of('apply', APPLY),
  ...of('list', LIST),
  ...COMMON,
};

export const STREAMS_DETAILS = `  stream-infer streams add gate rtsp://camera/1 --fps 10 --algorithm faces
  stream-infer streams add --file gate.yaml
  stream-infer streams update gate --fps 5
  stream-infer streams apply cameras.yaml --owner site   (the streams of a configuration: adds, changes, removes)
  stream-infer streams list | show ID | remove ID… | watch [ID…]

Paths are those of the machine on which the ingest runs; relative ones are made absolute here.
Exit status: 0 done; 2 refused: usage, the stream, or its state; 3 its source may not be played; 4 no API answers, it failed, or the bus has no room. Of several the highest.`;

type Common = OptionValues<typeof COMMON>;
export type DefinitionOptions = OptionValues<typeof DEFINITION> & Common;
export type UpdateOptions = OptionValues<typeof UPDATE> & Common;

export type StreamsAction =
  | {
      readonly action: 'add';
      readonly named: readonly [id: string, source: string] | undefined;
      readonly options: DefinitionOptions;
    }
  | { readonly action: 'update'; readonly id: string; readonly options: UpdateOptions }
  | { readonly action: 'apply'; readonly file: string; readonly options: Common & OptionValues<typeof APPLY> }
  | { readonly action: 'list'; readonly options: Common & OptionValues<typeof LIST> }
  | { readonly action: 'show'; readonly id: string; readonly options: Common }
  | { readonly action: 'remove' | 'watch'; readonly ids: readonly string[]; readonly options: Common };

const ACTIONS = [
  'add',
  'apply',
  'list',
  'show',
  'update',
  'remove',
  'watch',
] as const satisfies StreamsAction['action'][];

const PATHS = 'Paths are those of the machine on which the ingest runs; relative ones are made absolute here.';

/** What the help of one action tells. */
const HELP_OF: Readonly<Record<StreamsAction['action'], Subcommand>> = {
  add: {
    usage: 'streams add ID SOURCE | --file FILE  [OPTIONS]',
    summary: 'add a stream, which is played at once; stream-infer streams show ID tells how it fares',
    details: `  stream-infer streams add gate rtsp://camera/1 --fps 10 --algorithm faces\n\n${PATHS}`,
    options: { ...DEFINITION, ...COMMON },
  },
  update: {
    usage: 'streams update ID [OPTIONS]',
    summary: 'change a stream: what is given of it, and nothing else',
    details: `  stream-infer streams update gate --fps 5\n\n${PATHS}`,
    options: { ...UPDATE, ...COMMON },
  },
  apply: {
    usage: 'streams apply FILE [OPTIONS]',
    summary: 'make the list of streams in a file true: add, change and remove what differs',
    details: `  stream-infer streams apply cameras.yaml --owner site\n\n${PATHS}`,
    options: { ...APPLY, ...COMMON },
  },
  list: {
    usage: 'streams list [OPTIONS]',
    summary: 'tell every stream that is registered, a line each',
    details: '',
    options: { ...LIST, ...COMMON },
  },
  show: {
    usage: 'streams show ID [OPTIONS]',
    summary: 'tell all of one stream: its source, its algorithms, its fault',
    details: '',
    options: COMMON,
  },
  remove: {
    usage: 'streams remove ID… [OPTIONS]',
    summary: 'end streams; their results stay',
    details: '',
    options: COMMON,
  },
  watch: {
    usage: 'streams watch [ID…] [OPTIONS]',
    summary: 'tell what streams are doing, a line at each change, until Ctrl-C',
    details: '',
    options: COMMON,
  },
};

/** Undefined where the word is no action. */
export function streamsHelp(word: string | undefined): Subcommand | undefined {
  const action = ACTIONS.find((known) => known === word);
  return action && HELP_OF[action];
}

/** Throws USAGE. */
export function parseStreamsArguments([first, ...rest]: readonly string[]): StreamsAction {
  const action = ACTIONS.find((known) => known === first);
  switch (action) {
    case 'add': {
      const { values: options, positionals } = parseOptions(rest, { ...DEFINITION, ...COMMON });
      return { action, named: namedSource(positionals, options.file), options };
    }
    case 'update': {
      const { values: options, positionals } = parseOptions(rest, { ...UPDATE, ...COMMON });
      return { action, id: one(action, 'ID', positionals), options };
    }
    case 'apply': {
      const { values: options, positionals } = parseOptions(rest, { ...APPLY, ...COMMON });
      return { action, file: one(action, 'FILE', positionals), options };
    }
    case 'list': {
      const { values: options, positionals } = parseOptions(rest, { ...LIST, ...COMMON });
      if (positionals[0] !== undefined)
        throw new Fault('USAGE', `streams list takes no argument, and ${positionals[0]} is given`);
      return { action, options };
    }
    case 'show': {
      const { values: options, positionals } = parseOptions(rest, COMMON);
      return { action, id: one(action, 'ID', positionals), options };
    }
    case 'remove': {
      const { values: options, positionals: ids } = parseOptions(rest, COMMON);
      if (ids.length === 0) throw new Fault('USAGE', 'streams remove needs an ID: stream-infer streams remove ID…');
      return { action, ids, options };
    }
    case 'watch': {
      const { values: options, positionals: ids } = parseOptions(rest, COMMON);
      return { action, ids, options };
    }
    case undefined:
      throw unknownAction(first);
  }
}

function unknownAction(given: string | undefined): Fault {
  const known = `known are ${ACTIONS.join(', ')}`;
  if (given === undefined) return new Fault('USAGE', `streams needs an action: ${known}`);
  const nearest = nearestKey(given, ACTIONS);
  return new Fault('USAGE', `there is no streams ${given}: ${nearest ? `did you mean ${nearest}?` : known}`);
}

function one(action: string, what: string, positionals: readonly string[]): string {
  const [argument] = positionals;
  if (argument === undefined || positionals.length > 1)
    throw new Fault('USAGE', `streams ${action} takes one argument: stream-infer streams ${action} ${what}`);
  return argument;
}

function namedSource(positionals: readonly string[], file: string | undefined): readonly [string, string] | undefined {
  const [id, source] = positionals;
  if (file !== undefined && id === undefined) return undefined;
  if (file === undefined && id !== undefined && source !== undefined && positionals.length === 2) return [id, source];
  throw new Fault(
    'USAGE',
    'streams add takes the id and the source, or a file: stream-infer streams add ID SOURCE, or streams add --file FILE',
  );
}
