/** What `stream-infer bus` and `stream-infer token` take: what an operator makes users and tokens by. */

import { Fault } from '@stream-infer/core/fault';
import { HELP, JSON_OPTION } from './common-options.ts';
import { type OptionTable, type OptionValues, parseOptions, type Subcommand } from './option-table.ts';

const BUS_OPTIONS = {
  prefix: {
    type: 'string',
    value: 'NAME',
    description: 'natsPrefix of the installation. Default: NATS_PREFIX, or stream-infer.',
  },
  client: {
    type: 'string',
    value: 'NAME',
    description: 'ingest, scheduler, algo-runner, collector or operator alone.',
  },
  nsc: { type: 'boolean', description: 'Print commands for nsc instead of a block for nats-server.conf.' },
  ...JSON_OPTION,
  ...HELP,
} as const satisfies OptionTable;

const TOKEN_OPTIONS = {
  role: {
    type: 'string',
    value: 'read|operate',
    description: 'What it allows: to read, or to change streams as well.',
  },
  ...JSON_OPTION,
  ...HELP,
} as const satisfies OptionTable;

export const BUS = {
  usage: 'bus permissions [OPTIONS]',
  summary: 'print what the NATS users of the services and of the operator may do',
  details: `Each service has a user of its own, which may use the subjects of that service and no others. The users'
passwords are variables of the server's process, such as $INGEST_PASSWORD.

  stream-infer bus permissions > users.conf        (then in nats-server.conf: include users.conf)
  stream-infer bus permissions --nsc | sh
  stream-infer bus permissions --client algo-runner --json`,
  options: BUS_OPTIONS,
} as const satisfies Subcommand;

export const TOKEN = {
  usage: 'token NAME --role read|operate [OPTIONS]',
  summary: 'make a token of the API',
  details: `Prints a line for the file that the collector's apiTokensFile names, and the token itself once, on standard
error.

  stream-infer token ops --role operate >> tokens`,
  options: TOKEN_OPTIONS,
} as const satisfies Subcommand;

export type BusCommand = { readonly name: 'bus'; readonly options: OptionValues<typeof BUS_OPTIONS> };

export type TokenCommand = {
  readonly name: 'token';
  readonly holder: string;
  readonly role: string | undefined;
  readonly json: boolean;
};

/** Throws USAGE. */
export function parseBusArguments(args: readonly string[]): BusCommand {
  const { values, positionals } = parseOptions(args, BUS_OPTIONS);
  if (positionals.join(' ') !== 'permissions')
    throw new Fault('USAGE', `bus takes permissions: stream-infer ${BUS.usage}`);
  return { name: 'bus', options: values };
}

/** Throws USAGE. */
export function parseTokenArguments(args: readonly string[]): TokenCommand {
  const { values, positionals } = parseOptions(args, TOKEN_OPTIONS);
  const [holder] = positionals;
  if (holder === undefined || positionals.length > 1)
    throw new Fault('USAGE', `token takes a name: stream-infer ${TOKEN.usage}`);
  return { name: 'token', holder, role: values.role, json: values.json };
}
