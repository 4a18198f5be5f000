/** `stream-infer up`: the whole system on this machine, until it is told to stop. Streams come and go over its API meanwhile. */

import { Fault, toFault } from '@stream-infer/core/fault';
import type { Command } from '../command-line.ts';
import { INTERRUPT_STATUS, type Interrupts, watchInterrupts } from '../run/interrupts.ts';
import { createLogDisplay, logLevels } from '../run/log-display.ts';
import { type ApplyAdvice, DesiredStreams } from '../streams/desired-streams.ts';
import { streamsClient } from '../streams/streams-client.ts';
import { type LocalSystem, startLocalSystem } from '../system/local-system.ts';
import { findNatsServer } from '../system/nats-server.ts';
import { createWorkspace, type Workspace } from '../system/workspace.ts';
import type { Screen } from '../terminal/screen.ts';
import { removeBusFile, writeBusFile } from '../up/bus-file.ts';
import { type DataFolder, openDataFolder } from '../up/data-folder.ts';
import { planUp, type UpPlan } from '../up/up-plan.ts';

/** Whose the streams of the configuration file are. */
const OWNER = 'up';
const STOP_GRACE_MS = 5_000;

/** Exit status: 0 where it was told to stop once it was up, by convention of its signal where before. Throws the fault that keeps it from starting, or ends it. */
export async function upCommand({ options }: Extract<Command, { name: 'up' }>, screen: Screen): Promise<number> {
  const plan = await planUp(options, process.cwd());
  const natsServer = await findNatsServer();
  let system: LocalSystem | undefined;
  const interrupts = watchInterrupts((signal) => {
    system?.kill();
    screen.clear();
    // The janitor ends what is left.
    process.exit(INTERRUPT_STATUS[signal]);
  });
  const data = plan.data === undefined ? undefined : await openDataFolder(plan.data);
  const workspace = await createWorkspace();
  const { algorithmLevel } = levelsOf(plan);
  const logs = createLogDisplay(screen, { live: true, algorithmLevel });
  try {
    screen.progress('starting …');
    system = await startSystem(plan, { data, workspace, natsServer, onLog: logs.onLog, screen });
    if (plan.data !== undefined) await writeBusFile(plan.data, system.bus);
    const end = await stayUp(system, plan, { interrupts, screen, json: options.json });
    if (end instanceof Fault) throw end;
    return end;
  } finally {
    logs.flush();
    await system?.stop(STOP_GRACE_MS);
    if (plan.data !== undefined) await removeBusFile(plan.data);
    await workspace.close();
    await data?.release();
    interrupts.close();
  }
}

const levelsOf = ({ configuration }: UpPlan): ReturnType<typeof logLevels> =>
  logLevels(process.env.LOG_LEVEL ?? configuration.algoRunner?.logLevel);

type Means = {
  readonly data: DataFolder | undefined;
  readonly workspace: Workspace;
  readonly natsServer: string;
  readonly onLog: ReturnType<typeof createLogDisplay>['onLog'];
  readonly screen: Screen;
};

function startSystem(plan: UpPlan, { data, workspace, natsServer, onLog, screen }: Means): Promise<LocalSystem> {
  const { configuration, directory, runners, apiPort } = plan;
  const storePath = plan.storePath ?? data?.storePath;
  const { serviceLevel } = levelsOf(plan);
  return startLocalSystem({
    workspace,
    natsServer,
    configuration,
    streams: plan.streams ?? [],
    directory,
    runners,
    // Jobs and cameras share the machine, and cameras wait for nobody.
    algorithmsFirst: false,
    kept: { ...(data && { server: data.server }), ...(storePath !== undefined && { storePath }) },
    apiPort,
    logLevel: serviceLevel,
    onLog,
    onOutput: screen.line,
  });
}

type Stay = { readonly interrupts: Interrupts; readonly screen: Screen; readonly json: boolean };

/** Until it is interrupted (an exit status), or a part of the system has died. */
async function stayUp(system: LocalSystem, plan: UpPlan, stay: Stay): Promise<Fault | number> {
  let isUp = false;
  const onUp = (): void => {
    isUp = true;
  };
  const interrupted = stay.interrupts.first.then((signal) => {
    if (isUp) return 0;
    stay.screen.clear();
    stay.screen.line('interrupted before it was up: nothing was played');
    return INTERRUPT_STATUS[signal];
  });
  const ended = Promise.race([system.failed, interrupted]);
  const begun = begin(system, plan, { ...stay, onUp }).then(
    () => ended,
    (error: unknown) => toFault(error),
  );
  return Promise.race([begun, ended]);
}

type Beginning = Stay & { readonly onUp: () => void };

/** Of a stream of the file. */
const advice: ApplyAdvice = (id) =>
  `no stream of the file was applied: take it out of the file, give it another id there, or remove it with stream-infer streams remove ${id}, and start up again`;

/** Tells where the API is, once it is, and applies the streams of the file. */
async function begin(system: LocalSystem, { streams }: UpPlan, { screen, json, onUp }: Beginning): Promise<void> {
  const { apiUrl, apiToken, services } = await system.ready;
  onUp();
  screen.clear();
  const places = services.map(({ service, url }) => `${service} ${url}`).join(', ');
  process.stdout.write(
    json
      ? `${JSON.stringify({ api: apiUrl, services })}\n`
      : `the API is at ${apiUrl}\n/metrics and /v2/health/ready are at ${places}\n`,
  );
  if (streams === undefined) return;
  const desired = new DesiredStreams(streamsClient(apiUrl, apiToken), streams, { owner: OWNER, advice });
  const ended = await desired.apply().then(
    () => undefined,
    (error: unknown) => toFault(error),
  );
  const { added, changed, removed } = desired.written;
  for (const [what, ids] of Object.entries({ added, changed, removed }))
    if (ids.length > 0) screen.line(`${what}: ${ids.join(', ')}`);
  // What is refused now can be mended over the API; what plays goes on.
  for (const fault of desired.faults(ended)) screen.line(String(fault));
}
