/**
 * One ffmpeg at work on one source: started, read and ended here. Pictures come on its standard output, lines about decoded and
 * selected frames on two more pipes; a picture is handed out with the number that the ledger gives it.
 *
 * Pictures are read only as fast as they are taken, so a full bus slows ffmpeg down (EX-2); lines are always read, and few.
 */

import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { type Fault, toFault } from '@stream-infer/core/fault';
import { Bell } from './bell.ts';
import { DecodeErrors } from './decode-errors.ts';
import { startOnSource } from './ffmpeg-process.ts';
import { DECODED_FD, SELECTED_FD } from './filter-chain.ts';
import { disagreement, type FrameLedger, type LedgerEntry } from './frame-ledger.ts';
import type { Size } from './geometry.ts';
import { jpegFrameCutter } from './jpeg-frames.ts';
import { metadataLines } from './metadata-lines.ts';
import { ODD, PictureSizes } from './picture-sizes.ts';
import { type FrameCutter, FramePool, rawFrameCutter } from './raw-frames.ts';
import type { PreparedStream } from './stream-preparation.ts';

export type DecoderOptions = {
  readonly ffmpegPath: string;
  readonly prepared: Pick<PreparedStream, 'source' | 'decodeArguments' | 'frame'>;
  readonly ledger: FrameLedger;
};

export type DecodedFrame = LedgerEntry & {
  readonly data: Uint8Array;
  /** Of the picture before it was scaled; undefined where ffmpeg does not tell. */
  readonly sourceSize: Size | undefined;
};

/** How ffmpeg ended. */
export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** How long ffmpeg has to end by itself, so that it can take leave of a camera. */
const TERMINATION_MS = 1_000;
/** A line about a new size is written before its picture, and read from another pipe. */
const SIZE_LINE_MS = 250;
/** Buffers kept for reuse. */
const POOLED_BYTES = 32 * 2 ** 20;
const MOST_POOLED = 32;

export class Decoder {
  readonly errors: DecodeErrors;
  readonly exited: Promise<Exit>;
  readonly #process: ChildProcess;
  readonly #ledger: FrameLedger;
  readonly #pool: FramePool;
  readonly #cutter: FrameCutter;
  readonly #bell = new Bell();
  readonly #sizes = new PictureSizes();
  /** Of the sizes: the newest that was waited for. */
  #awaitedSize = 0;
  #openLinePipes = 2;
  #fault: Fault | undefined;
  #stopping = false;

  constructor({ ffmpegPath, prepared, ledger }: DecoderOptions) {
    const { source, decodeArguments, frame } = prepared;
    this.#ledger = ledger;
    this.errors = new DecodeErrors((line) => this.#sizes.read(line));
    this.#pool = new FramePool(
      frame.bytesPerFrame,
      Math.min(MOST_POOLED, Math.max(2, Math.floor(POOLED_BYTES / frame.bytesPerFrame))),
    );
    this.#cutter = frame.encoding === 'raw' ? rawFrameCutter(frame.bytesPerFrame, this.#pool) : jpegFrameCutter();
    this.#process = startOnSource(ffmpegPath, decodeArguments, source, ['pipe', 'pipe', 'pipe', 'pipe']);
    this.exited = new Promise((resolve) => {
      this.#process.once('close', (code, signal) => resolve({ code, signal }));
      this.#process.once('error', () => resolve({ code: null, signal: null }));
    });
    this.#process.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      this.errors.push(chunk, ledger.lastPtsTicks);
      this.#bell.ring();
    });
    this.#readLines(DECODED_FD, ({ index, ptsTicks }) => ledger.countDecoded(index, ptsTicks, performance.now()));
    this.#readLines(SELECTED_FD, ({ ptsTicks, value }) =>
      ledger.countSelected(ptsTicks, this.#sizes.next(value === ODD)),
    );
  }

  /**
   * Every picture that comes out, in order, until ffmpeg ends or is stopped. Throws INTERNAL where pictures, lines and plan
   * disagree.
   */
  async *frames(): AsyncGenerator<DecodedFrame, void, void> {
    const { stdout } = this.#process;
    if (!stdout) return;
    try {
      for await (const chunk of stdout as AsyncIterable<Uint8Array>) {
        for (const data of this.#cutter.push(chunk)) {
          const entry = await this.#nextEntry();
          yield { ...entry, data, sourceSize: await this.#sizeOf(entry) };
        }
      }
    } catch (error) {
      if (!this.#stopping) throw error;
    }
    if (this.#stopping) return;
    const { code } = await this.exited;
    if (this.#fault) throw this.#fault;
    if (code === 0 && (this.#cutter.pending > 0 || this.#ledger.outstanding > 0))
      throw disagreement(`${this.#ledger.outstanding} frames were selected and did not come out`);
  }

  /** Takes back a picture's buffer, which nobody reads any more. */
  recycle(data: Uint8Array): void {
    this.#pool.give(data);
  }

  /** Ends ffmpeg and resolves when it is gone. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#process.kill('SIGTERM');
    // It may be blocked in writing to us.
    for (const pipe of this.#process.stdio) pipe?.destroy();
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), TERMINATION_MS);
    await this.exited;
    clearTimeout(timer);
  }

  #readLines(fd: number, onFrame: Parameters<typeof metadataLines>[0]): void {
    const pipe = this.#process.stdio[fd] as Readable | null | undefined;
    const read = metadataLines(onFrame);
    const closed = (): void => {
      this.#openLinePipes -= 1;
      this.#bell.ring();
    };
    pipe?.setEncoding('latin1').once('close', closed);
    pipe?.on('error', () => undefined);
    pipe?.on('data', (chunk: string) => {
      try {
        read(chunk);
      } catch (error) {
        this.#fault ??= toFault(error);
        this.#process.kill('SIGKILL');
      }
      this.#bell.ring();
    });
  }

  async #sizeOf({ sizeNumber }: LedgerEntry): Promise<Size | undefined> {
    if (sizeNumber > this.#awaitedSize) {
      this.#awaitedSize = sizeNumber;
      const deadlineMs = performance.now() + SIZE_LINE_MS;
      while (this.#sizes.get(sizeNumber) === undefined && performance.now() < deadlineMs)
        await this.#bell.wait(SIZE_LINE_MS);
    }
    return this.#sizes.get(sizeNumber);
  }

  /** The numbers of the picture just read: its lines may be read a moment later. */
  async #nextEntry(): Promise<LedgerEntry> {
    for (;;) {
      const entry = this.#ledger.take();
      if (entry) return entry;
      if (this.#fault) throw this.#fault;
      if (this.#openLinePipes === 0) throw disagreement('a picture came out that no line tells of');
      await this.#bell.wait();
    }
  }
}
