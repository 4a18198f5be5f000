/**
 * What SOURCE on the command line stands for: a file, a folder or glob of files (a stream each), a device or a URL. What can be told
 * to be wrong without ffmpeg is told here, before anything starts.
 */

import { glob, readdir, stat } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Fault } from '@stream-infer/core/fault';
import { nameFrom } from '@stream-infer/core/names';
import { sourceKind } from '@stream-infer/core/source-kind';
import type { StreamSpec } from '@stream-infer/core/stream-spec';

/** A source, absolute where it is a file, and the id of its stream. */
export type NamedSource = { readonly id: string; readonly source: string };

const VIDEO_EXTENSIONS = new Set(
  '3g2 3gp asf avi dv f4v flv h264 h265 hevc ivf m2ts m4v mjpeg mjpg mkv mov mp4 mpeg mpg mts mxf nut ogm ogv ts vob webm wmv y4m'.split(
    ' ',
  ),
);

const isVideoName = (path: string): boolean => VIDEO_EXTENSIONS.has(extname(path).slice(1).toLowerCase());

/** Throws SOURCE_NOT_FOUND, SOURCE_NO_VIDEOS or SOURCE_EMPTY. */
export async function findSources(args: readonly string[], directory: string): Promise<readonly NamedSource[]> {
  const found: string[] = [];
  for (const argument of args) found.push(...(await expand(argument, directory)));
  return nameSources([...new Set(found)]);
}

async function expand(argument: string, directory: string): Promise<readonly string[]> {
  if (/^file:\/\//i.test(argument)) return expand(fileURLToPath(argument), directory);
  if (sourceKind(argument) !== 'file') return [argument];
  const path = resolve(directory, argument);
  const facts = await stat(path).catch(() => undefined);
  if (facts?.isDirectory()) return videosOf(await filesOf(path), `the folder ${argument}`);
  if (!facts && /[*?[{]/.test(argument)) return matches(argument, directory);
  await checkSourceFile(path, argument);
  return [path];
}

/** Throws SOURCE_NOT_FOUND or SOURCE_EMPTY. @param name as the user wrote it. */
async function checkSourceFile(path: string, name: string): Promise<void> {
  const facts = await stat(path).catch(() => undefined);
  if (!facts)
    throw new Fault(
      'SOURCE_NOT_FOUND',
      `${name} does not exist: give a video file, a folder of them, a device or a URL`,
    );
  if (facts.isDirectory())
    throw new Fault('SOURCE_NOT_FOUND', `${name} is a folder: give one file; "run FOLDER" plays every video of one`);
  if (facts.isFile() && facts.size === 0)
    throw new Fault('SOURCE_EMPTY', `${name} has no bytes: is it still being written?`);
}

/**
 * What can be told of a stream's source before anything starts. Throws SOURCE_NOT_FOUND or SOURCE_EMPTY.
 * @param environment where `sourceFrom` may find it.
 */
export async function checkSource(
  { id, source, sourceFrom }: Pick<StreamSpec, 'id' | 'source' | 'sourceFrom'>,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  if (source !== undefined && sourceKind(source) === 'file') await checkSourceFile(source, `stream ${id}: ${source}`);
  if (sourceFrom && 'env' in sourceFrom && !environment[sourceFrom.env]?.trim())
    throw new Fault(
      'SOURCE_NOT_FOUND',
      `stream ${id}: its source is to be in the environment variable ${sourceFrom.env}, which is not set: export ${sourceFrom.env}=rtsp://…`,
    );
  if (sourceFrom && 'file' in sourceFrom && !(await stat(sourceFrom.file).catch(() => undefined))?.isFile())
    throw new Fault(
      'SOURCE_NOT_FOUND',
      `stream ${id}: its source is to be in the file ${sourceFrom.file}, which does not exist: write its URL there`,
    );
}

async function filesOf(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => join(folder, name));
}

/** The files of a glob: those that it names by their extension, else those that are named like videos. */
async function matches(pattern: string, directory: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const name of glob(pattern, { cwd: directory })) {
    const path = resolve(directory, name);
    if ((await stat(path)).isFile()) found.push(path);
  }
  if (found.length === 0) throw new Fault('SOURCE_NO_VIDEOS', `no file matches ${pattern}`);
  return /\.[A-Za-z0-9]+$/.test(pattern) ? found.sort() : videosOf(found, pattern);
}

function videosOf(files: readonly string[], where: string): readonly string[] {
  const videos = files.filter(isVideoName).sort();
  if (videos.length === 0)
    throw new Fault(
      'SOURCE_NO_VIDEOS',
      `${where} holds no video file: looked for ${[...VIDEO_EXTENSIONS].slice(0, 3).join(', ')} and the like`,
    );
  return videos;
}

const LONGEST_NAME = 64;

/** Ids by the sources' own names; where two would be the same, the later gets -2, -3 and so on. */
export function nameSources(sources: readonly string[]): readonly NamedSource[] {
  const taken = new Set<string>();
  return sources.map((source) => {
    const base = nameFrom(plainName(source));
    let id = base;
    for (let count = 2; taken.has(id); count += 1) id = `${base.slice(0, LONGEST_NAME - `-${count}`.length)}-${count}`;
    taken.add(id);
    return { id, source };
  });
}

/** A file's name without its extension; of a URL the end of its path, else its host, and never its credentials (I8). */
function plainName(source: string): string {
  if (sourceKind(source) !== 'url') return basename(source, extname(source));
  const url = URL.parse(source);
  const last = url?.pathname.split('/').findLast((part) => part !== '') ?? '';
  return last.replace(/\.[^.]*$/, '') || url?.hostname || 'stream';
}
