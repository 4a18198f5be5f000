/** `stream-infer streams …`: the registry of a system that is up, over its API. */

import { readFile } from 'node:fs/promises';
import { Fault, faultJson, toFault } from '@stream-infer/core/fault';
import type { StreamReport } from '@stream-infer/core/stream-report';
import { count } from '../run/run-plan.ts';
import { addedStream, updatedStream } from '../streams/defined-stream.ts';
import { type ApplyAdvice, DesiredStreams, type Written } from '../streams/desired-streams.ts';
import { ownerOf, readStreamList } from '../streams/stream-list.ts';
import { isRegistered, statusLine, streamTable, streamText } from '../streams/stream-text.ts';
import type { StreamsAction } from '../streams/streams-arguments.ts';
import { type StreamsClient, streamsClient } from '../streams/streams-client.ts';
import { untilReady } from '../streams/until-ready.ts';
import { watchStreams } from '../streams/watch-streams.ts';
import type { Screen } from '../terminal/screen.ts';

const DEFAULT_API = 'http://127.0.0.1:8080';
const LONGEST_WAIT_SECONDS = 86_400;

/** Exit status. Throws the fault of what is refused. */
export async function streamsCommand(command: StreamsAction, screen: Screen): Promise<number> {
  const { json } = command.options;
  const client = streamsClient(apiUrl(command.options.api), await apiToken(command.options['token-file']));
  const print = (value: unknown, text: string): void => {
    process.stdout.write(`${json ? JSON.stringify(value, null, 2) : text}\n`);
  };
  switch (command.action) {
    case 'add': {
      const stream = await add(client, command);
      print(stream, `added: ${stream.id}; how it fares: stream-infer streams show ${stream.id}`);
      return 0;
    }
    case 'update': {
      const stream = await update(client, command);
      print(stream, `updated: ${stream.id}`);
      return 0;
    }
    case 'apply':
      return await apply(client, command, screen, print);
    case 'list': {
      const streams = await client.list();
      const shown = command.options.all ? streams : streams.filter(isRegistered);
      print({ streams: shown }, streamTable(shown, streams.length - shown.length));
      return 0;
    }
    case 'show': {
      const stream = await client.get(command.id);
      print(stream, streamText(stream));
      return 0;
    }
    case 'remove': {
      const removed: string[] = [];
      try {
        for (const id of command.ids) {
          await client.remove(id);
          removed.push(id);
        }
      } finally {
        // What is gone is told of, also where another could not be removed.
        if (removed.length > 0) print({ removed }, `removed: ${removed.join(', ')}`);
      }
      return 0;
    }
    case 'watch':
      await watchStreams(client, {
        ids: command.ids,
        describe: json ? (stream) => JSON.stringify(stream) : statusLine,
        print: (line) => process.stdout.write(`${line}\n`),
        onFault: screen.line,
        isRead: () => !process.stdout.destroyed,
      });
      return 0;
  }
}

function apiUrl(given: string | undefined): string {
  const url = given ?? (process.env.STREAM_INFER_API || DEFAULT_API);
  if (!URL.canParse(url) || !/^https?:/.test(url))
    throw new Fault(
      'USAGE',
      `${given === undefined ? 'STREAM_INFER_API' : '--api'} is ${url}: give a URL such as ${DEFAULT_API}`,
    );
  return url;
}

async function apiToken(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return process.env.STREAM_INFER_TOKEN?.trim() || undefined;
  const token = await readFile(file, 'utf8').then(
    (text) => text.trim(),
    (error: unknown) => {
      throw new Fault('CREDENTIALS_INVALID', `${file} cannot be read: --token-file names it`, { cause: error });
    },
  );
  if (/^\S+$/.test(token)) return token;
  throw new Fault('CREDENTIALS_INVALID', `${file} holds no token: one line that stream-infer token has told`);
}

async function add(client: StreamsClient, command: Extract<StreamsAction, { action: 'add' }>): Promise<StreamReport> {
  const definition = await addedStream(command, process.cwd());
  try {
    return await client.add(definition, undefined);
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'STREAM_EXISTS') throw error;
    const { id } = definition;
    const advice = `change it with stream-infer streams update ${id}, or give another id`;
    throw new Fault('STREAM_EXISTS', `there is a stream ${id} already: ${advice}`, { cause: error });
  }
}

async function update(
  client: StreamsClient,
  { id, options }: Extract<StreamsAction, { action: 'update' }>,
): Promise<StreamReport> {
  const { definition, revision } = await client.get(id);
  if (definition === null || revision === null)
    throw new Fault('UNKNOWN_STREAM', `stream ${id} is not registered any more, and only its results are left: add it`);
  return client.put(await updatedStream(definition, options, process.cwd()), { revision });
}

async function apply(
  client: StreamsClient,
  { file, options }: Extract<StreamsAction, { action: 'apply' }>,
  screen: Screen,
  print: (value: unknown, text: string) => void,
): Promise<number> {
  const owner = ownerOf(options.owner);
  const waitSeconds = options.wait === undefined ? 0 : count('--wait', options.wait, LONGEST_WAIT_SECONDS);
  const desired = new DesiredStreams(client, await readStreamList(file), { owner, advice });
  const ended = await untilReady(() => desired.apply(), {
    limitMs: waitSeconds * 1_000,
    onWait: (fault) => screen.line(`waiting: ${fault}`),
  }).then(
    () => undefined,
    (error: unknown) => toFault(error),
  );
  const { written, refused } = desired;
  const isUntouched = refused.size === 0 && Object.values(written).every((ids) => ids.length === 0);
  if (ended && isUntouched) throw ended;
  // What was written is told of, whatever else could not be.
  const faults = desired.faults(ended);
  const exitStatus = Math.max(0, ...faults.map((fault) => fault.exitStatus));
  print({ ...written, faults: faults.map(faultJson), exitStatus }, writtenText(written));
  for (const fault of faults) screen.line(String(fault));
  return exitStatus;
}

const advice: ApplyAdvice = (_id, owner) =>
  owner === null
    ? 'give it another id, or remove it first'
    : `give it another id, remove it first, or apply with --owner ${owner}`;

const writtenText = (written: Written): string =>
  Object.entries(written)
    .map(([what, ids]) => `${what}: ${ids.length === 0 ? 'none' : ids.join(', ')}`)
    .join('\n');
