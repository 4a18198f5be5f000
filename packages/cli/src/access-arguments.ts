/** What `stream-infer bus` and `stream-infer token` take: what an operator makes users and tokens by, and removes what is kept on the bus by. */

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
    description: 'permissions: ingest, scheduler, algo-runner, collector or operator alone.',
  },
  nsc: { type: 'boolean', description: 'permissions: print commands for nsc instead of a block for nats-server.conf.' },
  nats: {
    type: 'string',
    value: 'URL',
    description:
      'purge: the NATS server. Default: NATS_URL, or nats://127.0.0.1:4222. As whom, NATS_USER and NATS_PASSWORD, or NATS_CREDS, say.',
  },
  yes: { type: 'boolean', description: 'purge: remove it, and do not only tell what there is.' },
  wait: {
    type: 'string',
    value: 'SECONDS',
    description: 'purge: how long to wait for services that are still there. Default: not at all.',
  },
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
  usage: 'bus permissions | purge  [OPTIONS]',
  summary:
    'print what the NATS users of the services and of the operator may do; remove what an installation left on NATS',
  details: `Each service has a user of its own, which may use the subjects of that service and no others. The users'
passwords are variables of the server's process, such as $INGEST_PASSWORD.

  stream-infer bus permissions > users.conf        (then in nats-server.conf: include users.conf)
  stream-infer bus permissions --nsc | sh
  stream-infer bus permissions --client algo-runner --json

purge tells which streams and buckets of JetStream the installation has, and with --yes removes them: the
registry, results that are not stored yet, dead letters. As long as one of its services is there, nothing is.

  stream-infer bus purge --prefix site-a --nats nats://127.0.0.1:4222 --yes

Exit status: 0 done; 2 usage; 4 environment, or services are still there.`,
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

export type BusCommand = {
  readonly name: 'bus';
  readonly action: 'permissions' | 'purge';
  readonly options: OptionValues<typeof BUS_OPTIONS>;
};

export type TokenCommand = {
  readonly name: 'token';
  readonly holder: string;
  readonly role: string | undefined;
  readonly json: boolean;
};

/** Throws USAGE. */
export function parseBusArguments(args: readonly string[]): BusCommand {
  const { values, positionals } = parseOptions(args, BUS_OPTIONS);
  const action = positionals.join(' ');
  if (action !== 'permissions' && action !== 'purge')
    throw new Fault('USAGE', `bus takes permissions or purge: stream-infer ${BUS.usage}`);
  const { client, nsc, nats, yes, wait } = values;
  const foreign = Object.entries(action === 'purge' ? { client, nsc } : { nats, yes, wait });
  const [option] = foreign.find(([, value]) => value !== undefined && value !== false) ?? [];
  if (option !== undefined) throw new Fault('USAGE', `bus ${action} takes no --${option}: see stream-infer bus --help`);
  return { name: 'bus', action, options: values };
}

/** Throws USAGE. */
export function parseTokenArguments(args: readonly string[]): TokenCommand {
  const { values, positionals } = parseOptions(args, TOKEN_OPTIONS);
  const [holder] = positionals;
  if (holder === undefined || positionals.length > 1)
    throw new Fault('USAGE', `token takes a name: stream-infer ${TOKEN.usage}`);
  return { name: 'token', holder, role: values.role, json: values.json };
}
