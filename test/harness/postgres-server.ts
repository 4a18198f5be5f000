/**
 * A real PostgreSQL of the distribution on a free port of loopback: a cluster of its own in a temporary directory, under another user
 * where the tests run as root, which PostgreSQL refuses.
 */

import { type ChildProcess, execFile, execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { appendFile, chown, copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { spawnOwned } from '@stream-infer/service-kit/owned-process';
import type { Certificate } from './certificates.ts';
import { eventually } from './eventually.ts';
import { freePorts } from './free-ports.ts';
import { descendants } from './process-tree.ts';

const run = promisify(execFile);

const OLDEST = 14;
const SERVERS = '/usr/lib/postgresql';
const SUPERUSER = 'postgres';
const SUPERUSER_PASSWORD = 'of-the-superuser';
/** Whom the product comes as. */
export const OWNER = 'collector';
/** To be found in no output. */
export const OWNER_PASSWORD = 'p@ss/of:the%owner';

type Account = { readonly uid: number; readonly gid: number };

/** Whom the server runs as; undefined where it is whoever runs the tests. */
function serverAccount(): Account | 'none' | undefined {
  if (process.getuid?.() !== 0) return undefined;
  try {
    const id = (flag: string): number => Number(execFileSync('id', [flag, SUPERUSER], { stdio: 'pipe' }));
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    return 'none';
  }
}

function newestBin(): string | undefined {
  try {
    const versions = readdirSync(SERVERS)
      .map(Number)
      .filter((version) => version >= OLDEST);
    return versions.length === 0 ? undefined : join(SERVERS, String(Math.max(...versions)), 'bin');
  } catch {
    return undefined;
  }
}

const bin = newestBin();
const account = serverAccount();

/** Whether Debian's package `postgresql` is installed. */
export const hasPostgres = bin !== undefined && account !== 'none';

const asAccount = (command: string, args: readonly string[]): readonly [string, string[]] => {
  const path = join(bin ?? '', command);
  if (account === undefined || account === 'none') return [path, [...args]];
  const { uid, gid } = account;
  // The signal is asked for behind the change of user, which would undo it.
  const user = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--pdeathsig', 'KILL'];
  return ['setpriv', [...user, '--', path, ...args]];
};

export type PostgresServer = {
  readonly port: number;
  /** Of the postmaster and all that it has started. */
  processes(): Promise<number[]>;
  /** As the owner. */
  url(database: string): string;
  /** Makes an empty database of the owner's; its name. */
  createDatabase(options?: string): Promise<string>;
  /** One statement as the superuser; the rows, with | between columns. */
  sql(database: string, statement: string): Promise<string>;
  /** SIGKILL to the postmaster, and the wait for its end. */
  kill(): Promise<void>;
  /** Again, on its port and with what it has. */
  restart(): Promise<void>;
  /** A server that follows this one, and takes no writes until it is promoted. */
  standby(): Promise<PostgresServer>;
  promote(): Promise<void>;
  stop(): Promise<void>;
};

export type PostgresOptions = {
  /** Speaks TLS with it, and asks for TLS. */
  readonly certificate?: Certificate;
  /** Lines of postgresql.conf. */
  readonly configuration?: readonly string[];
};

const CONFIGURATION = [
  "listen_addresses = '127.0.0.1'",
  "unix_socket_directories = ''",
  // What is tested dies by signals, not by power cuts.
  'fsync = off',
  'max_connections = 60',
];

export async function startPostgres({
  certificate,
  configuration = [],
}: PostgresOptions = {}): Promise<PostgresServer> {
  const directory = await serverDirectory();
  const data = join(directory, 'data');
  const passwordFile = join(directory, 'password');
  await writeFile(passwordFile, SUPERUSER_PASSWORD);
  await own(passwordFile);
  await runAs('initdb', [
    ...['-D', data, '-U', SUPERUSER, '--auth=scram-sha-256', `--pwfile=${passwordFile}`],
    ...['-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'],
  ]);
  const lines = [...CONFIGURATION, ...configuration];
  if (certificate) lines.push(...(await tlsLines(data, certificate)));
  await appendFile(join(data, 'postgresql.conf'), `${lines.join('\n')}\n`);
  if (certificate) await writeFile(join(data, 'pg_hba.conf'), 'hostssl all all all scram-sha-256\n');
  else await appendFile(join(data, 'pg_hba.conf'), 'host replication all 127.0.0.1/32 scram-sha-256\n');
  const server = await launch(directory, data);
  const password = OWNER_PASSWORD.replaceAll("'", "''");
  await server.sql('postgres', `CREATE ROLE ${OWNER} LOGIN PASSWORD '${password}'`);
  return server;
}

async function launch(directory: string, data: string): Promise<PostgresServer> {
  const [port = 0] = await freePorts(1);
  let child: ChildProcess;
  let databases = 0;
  const start = async (): Promise<void> => {
    child = spawnOwned(...asAccount('postgres', ['-D', data, '-p', String(port)]), {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4_000);
    });
    await eventually('PostgreSQL answers', async () => {
      if (child.exitCode !== null) throw new Error(`postgres ended with ${child.exitCode}: ${said}`);
      return (await sql('postgres', 'SELECT 1')) === '1';
    });
  };
  const sql = async (database: string, statement: string): Promise<string> => {
    const { stdout } = await run(
      join(bin ?? '', 'psql'),
      ['-h', '127.0.0.1', '-p', String(port), '-U', SUPERUSER, '-d', database, '-XAtqc', statement],
      { env: { ...process.env, PGPASSWORD: SUPERUSER_PASSWORD, PGCONNECT_TIMEOUT: '5' } },
    );
    return stdout.trim();
  };
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
  };
  await start();
  return {
    port,
    async processes() {
      const server = child.pid ?? 0;
      return [server, ...(await descendants(server)).map(({ pid }) => pid)];
    },
    url: (database) => `postgres://${OWNER}:${encodeURIComponent(OWNER_PASSWORD)}@127.0.0.1:${port}/${database}`,
    async createDatabase(options = '') {
      databases += 1;
      const name = `results_${databases}`;
      await sql('postgres', `CREATE DATABASE ${name} OWNER ${OWNER} ${options}`);
      return name;
    },
    sql,
    kill,
    restart: start,
    async standby() {
      const place = await serverDirectory();
      const copy = join(place, 'data');
      await runAs(
        'pg_basebackup',
        [
          '-D',
          copy,
          '-h',
          '127.0.0.1',
          '-p',
          String(port),
          '-U',
          SUPERUSER,
          '-R',
          '-X',
          'stream',
          '-c',
          'fast',
          '--no-sync',
        ],
        { PGPASSWORD: SUPERUSER_PASSWORD },
      );
      return launch(place, copy);
    },
    promote: async () => void (await sql('postgres', 'SELECT pg_promote()')),
    async stop() {
      await kill();
      // Its children find out, and end.
      await eventually('an end of the server', () => rm(directory, { recursive: true, force: true }).then(() => true));
    },
  };
}

async function serverDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'stream-infer-test-postgres-'));
  await own(directory);
  return directory;
}

async function own(path: string): Promise<void> {
  if (account !== undefined && account !== 'none') await chown(path, account.uid, account.gid);
}

/** In the place of the data, and the server's own: it reads no key that others may. */
async function tlsLines(data: string, { cert, key }: Certificate): Promise<string[]> {
  for (const [from, name] of [
    [cert, 'server.crt'],
    [key, 'server.key'],
  ] as const) {
    const to = join(data, name);
    await copyFile(from, to);
    await own(to);
    await run('chmod', ['600', to]);
  }
  return ['ssl = on'];
}

async function runAs(command: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<void> {
  const [file, all] = asAccount(command, args);
  await run(file, all, { env: { ...process.env, ...environment }, cwd: tmpdir() });
}
