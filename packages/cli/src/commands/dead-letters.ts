/** `stream-infer dead-letters`: what failed for good on a system that runs, why, and whether it still does. */

import { type Bus, connectBus, reachedBy } from '@stream-infer/bus/bus';
import { deadLetter, deadLetters, type StoredLetter } from '@stream-infer/bus/dead-letters';
import { Fault, toFault } from '@stream-infer/core/fault';
import { readBusSettings } from '@stream-infer/service-kit/settings';
import type { Command } from '../command-line.ts';
import { letterSheet, letterTable, replayTable } from '../dead-letters/letter-text.ts';
import { replay } from '../dead-letters/replay.ts';
import { INTERRUPT_STATUS, watchInterrupts } from '../run/interrupts.ts';
import { readBusFile } from '../up/bus-file.ts';

type DeadLettersCommand = Extract<Command, { name: 'dead-letters' }>;

const MOST_LISTED = 1_000;

/** Exit status. Throws what connectBus does, DEAD_LETTER_NOT_FOUND or REPLAY_IMPOSSIBLE. */
export async function deadLettersCommand(command: DeadLettersCommand): Promise<number> {
  const bus = await connect(command);
  try {
    switch (command.action) {
      case 'list':
        return await list(bus, command.json);
      case 'show':
        return await show(bus, command.ids, command.json);
      case 'replay':
        return await replayLetters(bus, command);
    }
  } finally {
    await bus.close();
  }
}

async function connect({ nats, data }: DeadLettersCommand): Promise<Bus> {
  const options = { client: 'operator', name: 'stream-infer dead-letters' } as const;
  if (data !== undefined) return connectBus({ ...(await readBusFile(data)), ...options });
  const settings = readBusSettings(process.env);
  const reached = reachedBy(nats === undefined ? settings : { ...settings, natsUrl: nats });
  return connectBus({ ...reached, ...options }).catch((error: unknown) => {
    const fault = toFault(error);
    if (fault.code !== 'NATS_UNREACHABLE') throw fault;
    const advice = 'of a stream-infer up with a data folder, give --data FOLDER';
    throw new Fault(fault.code, `${fault.message}; ${advice}`, { cause: fault });
  });
}

async function list(bus: Bus, json: boolean): Promise<number> {
  const letters = await newest(bus);
  const report = { deadLetters: letters.map(inOne) };
  process.stdout.write(`${json ? JSON.stringify(report, null, 2) : letterTable(letters)}\n`);
  return 0;
}

async function show(bus: Bus, ids: readonly number[], json: boolean): Promise<number> {
  const letters = await lettersOf(bus, ids);
  const report = { deadLetters: letters.map(inOne) };
  process.stdout.write(`${json ? JSON.stringify(report, null, 2) : letters.map(letterSheet).join('\n\n')}\n`);
  return 0;
}

/** Exit status 1 where a window failed again. */
async function replayLetters(bus: Bus, { ids, all, json }: DeadLettersCommand): Promise<number> {
  const interrupts = watchInterrupts((signal) => process.exit(INTERRUPT_STATUS[signal]));
  try {
    const asked = all ? await newest(bus) : await lettersOf(bus, [...new Set(ids)]);
    const letters = all ? asked.filter(({ letter: { mode } }) => mode === 'offline') : asked;
    const replayed = await replay(bus, letters, { signal: interrupts.signal, passOver: all });
    const report = {
      replayed: replayed.map(({ id, letter, fault }) => ({
        id,
        mended: !fault,
        ...letter,
        ...(fault && { error: fault }),
      })),
    };
    process.stdout.write(
      `${json ? JSON.stringify(report, null, 2) : replayTable(replayed, asked.length - letters.length)}\n`,
    );
    return replayed.some(({ fault }) => fault) ? 1 : 0;
  } catch (error) {
    if (interrupts.signal.aborted) return INTERRUPT_STATUS[await interrupts.first];
    throw error;
  } finally {
    interrupts.close();
  }
}

async function newest(bus: Bus): Promise<StoredLetter[]> {
  const letters: StoredLetter[] = [];
  for await (const stored of deadLetters(bus, MOST_LISTED)) letters.push(stored);
  return letters;
}

const lettersOf = (bus: Bus, ids: readonly number[]): Promise<StoredLetter[]> =>
  Promise.all(
    ids.map(async (id) => {
      const stored = await deadLetter(bus, id);
      if (stored) return stored;
      const problem = `there is no dead letter ${id}: see stream-infer dead-letters list; the oldest give way to new ones`;
      throw new Fault('DEAD_LETTER_NOT_FOUND', problem);
    }),
  );

const inOne = ({ id, letter }: StoredLetter) => ({ id, ...letter });
