/** `stream-infer dead-letters`: what failed for good on a system that runs, and why. */

import { type Bus, connectBus } from '@stream-infer/bus/bus';
import { deadLetter, deadLetters, type StoredLetter } from '@stream-infer/bus/dead-letters';
import { Fault } from '@stream-infer/core/fault';
import type { Command } from '../command-line.ts';
import { letterSheet, letterTable } from '../dead-letters/letter-text.ts';

type DeadLettersCommand = Extract<Command, { name: 'dead-letters' }>;

const MOST_LISTED = 1_000;
const DEFAULT_URL = 'nats://127.0.0.1:4222';
const DEFAULT_PREFIX = 'stream-infer';

/** Exit status. Throws NATS_UNREACHABLE or DEAD_LETTER_NOT_FOUND. */
export async function deadLettersCommand(command: DeadLettersCommand): Promise<number> {
  const { NATS_URL, NATS_PREFIX } = process.env;
  const bus = await connectBus({
    url: command.nats ?? NATS_URL ?? DEFAULT_URL,
    prefix: NATS_PREFIX ?? DEFAULT_PREFIX,
    name: 'stream-infer dead-letters',
  });
  try {
    switch (command.action) {
      case 'list':
        return await list(bus, command.json);
      case 'show':
        return await show(bus, command.ids, command.json);
    }
  } finally {
    await bus.close();
  }
}

async function list(bus: Bus, json: boolean): Promise<number> {
  const letters: StoredLetter[] = [];
  for await (const stored of deadLetters(bus, MOST_LISTED)) letters.push(stored);
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
