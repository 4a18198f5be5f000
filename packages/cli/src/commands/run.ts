/** `stream-infer run`: plans, runs, and tells what came of it. */

import type { Fault } from '@stream-infer/core/fault';
import type { Command } from '../command-line.ts';
import { INTERRUPT_STATUS, watchInterrupts } from '../run/interrupts.ts';
import { forgetRun, identifyRun } from '../run/run-identity.ts';
import { endNotes } from '../run/run-notes.ts';
import { planRun, type RunPlan } from '../run/run-plan.ts';
import { hasPlayed } from '../run/run-result.ts';
import { runSession, type SessionOutcome } from '../run/run-session.ts';
import { summarize, summaryTable } from '../run/run-summary.ts';
import { judge } from '../run/verdict.ts';
import type { LocalSystem } from '../system/local-system.ts';
import { findNatsServer } from '../system/nats-server.ts';
import { createWorkspace } from '../system/workspace.ts';
import type { Screen } from '../terminal/screen.ts';
import { openDataFolder } from '../up/data-folder.ts';

/** Exit status. Throws the fault that keeps the run from starting. */
export async function runCommand(
  { sources, options }: Extract<Command, { name: 'run' }>,
  screen: Screen,
): Promise<number> {
  const plan = await planRun({
    sources,
    options,
    directory: process.cwd(),
    stdoutIsTerminal: process.stdout.isTTY === true,
  });
  for (const warning of plan.warnings) screen.line(`warning: ${warning}`);
  const outcome = await runIn(plan, screen);
  return report(outcome, plan, { screen, strict: options.strict, json: options.json });
}

async function runIn(plan: RunPlan, screen: Screen): Promise<SessionOutcome> {
  const natsServer = await findNatsServer();
  let system: LocalSystem | undefined;
  let lostLine = unwrittenLine(plan);
  const interrupts = watchInterrupts((signal) => {
    system?.kill();
    screen.clear();
    screen.line(lostLine);
    // The janitor removes what is left.
    process.exit(INTERRUPT_STATUS[signal]);
  });
  const data = plan.data === undefined ? undefined : await openDataFolder(plan.data);
  const workspace = await createWorkspace();
  try {
    if (plan.data !== undefined) await identifyRun(plan.data, plan);
    const outcome = await runSession(plan, {
      workspace,
      kept: data,
      natsServer,
      screen,
      interrupts,
      onSystem: (running) => {
        system = running;
      },
      onStage: (stage) => {
        lostLine = LOST_LATE[stage];
      },
    });
    if (plan.data !== undefined && outcome.end.kind !== 'failed') await forgetRun(plan.data);
    return outcome;
  } finally {
    await workspace.close();
    await data?.release();
    interrupts.close();
  }
}

/** What is no fault, and would be missed. */
function closingLines({ end, results, annotations }: SessionOutcome, plan: RunPlan): readonly string[] {
  switch (end.kind) {
    case 'complete':
      return results.flatMap(endNotes).map((note) => `warning: ${note}`);
    case 'interrupted': {
      const unwritten = [...plan.annotations].filter(([stream]) => !annotations.has(stream));
      return [
        ...(results.some(hasPlayed) ? [] : nothingPlayedLines(plan)),
        ...unwritten.map(([, path]) => `video: not written, interrupted before it was drawn: ${path}`),
      ];
    }
    case 'failed':
      return [];
  }
}

const nothingPlayedLines = ({ output }: RunPlan): readonly string[] => [
  'interrupted before anything was played',
  ...(output.kind === 'file' ? [`results: not written, interrupted: ${output.path}`] : []),
];

/** Records that were written as they came are all that a run leaves that is ended at once. */
const unwrittenLine = ({ output }: RunPlan): string =>
  output.kind !== 'none' && output.format === 'ndjson'
    ? 'interrupted again: results that had not come yet are not written, and those that had may be out of order'
    : 'interrupted again: results are not written';

const LOST_LATE = {
  drawing: 'interrupted again: the video is not written',
  stopping: 'interrupted again: ended at once',
} as const;

const NOT_KEPT = 'results were not kept: add --output results.json';

type Telling = { readonly screen: Screen; readonly strict: boolean; readonly json: boolean };

/** Tells faults on standard error, then the summary, and gives the exit status. */
function report(outcome: SessionOutcome, plan: RunPlan, { screen, strict, json }: Telling): number {
  const { end, results, written, annotations } = outcome;
  const verdict = judge(results, {
    strict,
    systemFault: end.kind === 'failed' ? end.fault : undefined,
    interrupted: end.kind === 'interrupted',
  });
  const faults: readonly Fault[] = [...verdict.faults, ...outcome.faults];
  const worst = Math.max(verdict.exitStatus, ...outcome.faults.map((fault) => fault.exitStatus));
  const exitStatus = end.kind === 'interrupted' ? INTERRUPT_STATUS[end.signal] : worst;
  for (const line of faults.map(String)) if (!outcome.hasTold(line)) screen.line(line);
  for (const line of closingLines(outcome, plan)) screen.line(line);
  const output = written && plan.output.kind === 'file' ? plan.output.path : null;
  const summary = summarize({ results, output, annotations, faults, exitStatus });
  const played = results.some(hasPlayed);
  if (json) {
    process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
    if (played && plan.output.kind === 'none') screen.line(NOT_KEPT);
    return exitStatus;
  }
  if (!played) return exitStatus;
  const text = [
    summaryTable(summary),
    ...(output === null ? [] : [`results: ${output}`]),
    ...[...annotations.values()].map((path) => `video: ${path}`),
    ...(plan.output.kind === 'none' ? [NOT_KEPT] : []),
  ].join('\n');
  // Where standard output carries the results, the rest must not mix with them.
  if (plan.output.kind === 'stdout') screen.line(text);
  else process.stdout.write(`${text}\n`);
  return exitStatus;
}
