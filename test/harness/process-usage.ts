/** What a process holds, from /proc. Linux only. */

import { readdir, readFile, readlink } from 'node:fs/promises';

/** As /proc/net/tcp has it. */
const LISTENING = '0A';
const ANSWER_MS = 1_000;

/** Its memory, each shared page counted in part (PSS); 0 where it is gone. */
export async function pssKiB(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0);
}

/** Its memory without pages of files, each shared page counted in part; 0 where it is gone. */
export async function ownKiB(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  return Number(/^Pss_Anon:\s+(\d+)/m.exec(text)?.[1] ?? 0);
}

/** Its memory, as a container that it is alone in counts it (RSS); 0 where it is gone. */
export async function rssKiB(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+)/m.exec(text)?.[1] ?? 0);
}

/** As Linux counts it everywhere. */
const TICKS_PER_SECOND = 100;

/** Seconds of a core that it has had so far, its children apart; 0 where it is gone. */
export async function cpuSeconds(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // Behind the command, which stands in parentheses and may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND;
}

/** How many descriptors it has open; 0 where it is gone. */
export async function openDescriptors(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`).catch(() => [])).length;
}

/** What a service tells at /metrics; undefined where it does not answer within a second. */
export async function metricsOf(pid: number): Promise<string | undefined> {
  for (const port of await listeningPorts(pid)) {
    const signal = AbortSignal.timeout(ANSWER_MS);
    const response = await fetch(`http://127.0.0.1:${port}/metrics`, { signal }).catch(() => undefined);
    if (response?.ok) return response.text();
    await response?.body?.cancel();
  }
  return undefined;
}

/** TCP ports on which it listens, on IPv4. */
async function listeningPorts(pid: number): Promise<readonly number[]> {
  const names = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const links = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')));
  const own = new Set(links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1]));
  const table = await readFile(`/proc/${pid}/net/tcp`, 'utf8').catch(() => '');
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
    return state === LISTENING && own.has(inode) ? [Number.parseInt(local.split(':')[1] ?? '', 16)] : [];
  });
}
