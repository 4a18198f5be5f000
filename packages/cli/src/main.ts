/** The command `stream-infer`: one subcommand, one exit status, every fault one line on standard error. */

import { type Fault, faultJson, toFault } from '@stream-infer/core/fault';
import { parseCommandLine } from './command-line.ts';
import { autoscaleCommand } from './commands/autoscale.ts';
import { busCommand } from './commands/bus.ts';
import { deadLettersCommand } from './commands/dead-letters.ts';
import { doctorCommand } from './commands/doctor.ts';
import { fetchCommand } from './commands/fetch.ts';
import { planCommand } from './commands/plan.ts';
import { probeCommand } from './commands/probe.ts';
import { runCommand } from './commands/run.ts';
import { streamsCommand } from './commands/streams.ts';
import { tokenCommand } from './commands/token.ts';
import { upCommand } from './commands/up.ts';
import { validateCommand } from './commands/validate.ts';
import { versionCommand } from './commands/version.ts';
import { unwritable } from './run/output-target.ts';
import { createScreen, type Screen } from './terminal/screen.ts';

async function main(args: readonly string[], screen: Screen): Promise<number> {
  const command = parseCommandLine(args);
  switch (command.name) {
    case 'help':
      process.stdout.write(command.text);
      return 0;
    case 'run':
      return runCommand(command, screen);
    case 'up':
      return upCommand(command, screen);
    case 'streams':
      return streamsCommand(command, screen);
    case 'probe':
      return probeCommand(command);
    case 'validate':
      return validateCommand(command, screen);
    case 'plan':
      return planCommand(command);
    case 'autoscale':
      return autoscaleCommand(command);
    case 'dead-letters':
      return deadLettersCommand(command);
    case 'token':
      return tokenCommand(command);
    case 'bus':
      return busCommand(command);
    case 'fetch':
      return fetchCommand(command);
    case 'doctor':
      return doctorCommand(command);
    case 'version':
      return versionCommand(command);
  }
}

function tell(fault: Fault, args: readonly string[], screen: Screen): number {
  screen.clear();
  screen.line(String(fault));
  if (fault.excerpt) screen.line(fault.excerpt);
  if (args.includes('--json'))
    process.stdout.write(`${JSON.stringify({ faults: [faultJson(fault)], exitStatus: fault.exitStatus }, null, 2)}\n`);
  return fault.exitStatus;
}

const args = process.argv.slice(2);
const screen = createScreen(process.stderr);
let unwritten: Fault | undefined;
// A reader that goes away, such as `head`, has had enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') unwritten ??= unwritable('standard output', error);
});
const exitStatus = await main(args, screen).catch((error: unknown) => tell(toFault(error), args, screen));
// A write that fails says so once it has been tried, which is after the command is done with it.
await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
if (unwritten && exitStatus < unwritten.exitStatus) screen.line(String(unwritten));
process.exitCode = Math.max(exitStatus, unwritten?.exitStatus ?? 0);
