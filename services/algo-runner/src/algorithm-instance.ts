/**
 * One instance of an algorithm inside its worker thread: made, initialised, run on one batch at a time (G-12), closed. What it
 * returns leaves as canonical JSON, and whatever it does wrong as a fault; nothing that it throws passes through here.
 */

import { resolve } from 'node:path';
import type { Algorithm, AlgorithmContext, AlgorithmState, Json, Logger, RunContext } from '@stream-infer/algorithm';
import { canonicalJson } from '@stream-infer/core/canonical-json';
import { Fault, faultJson, toFault } from '@stream-infer/core/fault';
import { redactUrl } from '@stream-infer/core/redact-url';
import { constructAlgorithm, initFault, loadAlgorithmModule } from './algorithm-module.ts';
import { algorithmVersion } from './algorithm-version.ts';
import { RESULT_LIMIT_BYTES } from './result-limit.ts';
import { stackPlace, thrownMessage } from './stack-place.ts';
import { StageClock } from './stage-clock.ts';
import type {
  BatchAnswer,
  LoadedAlgorithm,
  Placement,
  WindowAnswer,
  WindowJob,
  WorkerSpec,
} from './worker-messages.ts';

export class AlgorithmInstance {
  readonly version: string;
  /** `stream`: it remembers what it has run, as the configuration or else its class says. */
  readonly state: AlgorithmState;
  /** Where its model runs, where it has told. */
  readonly placement: Placement | undefined;
  readonly #algorithm: Algorithm;
  readonly #context: AlgorithmContext;
  readonly #stages: StageClock;

  private constructor(
    algorithm: Algorithm,
    context: AlgorithmContext,
    stages: StageClock,
    { version, state, placement }: LoadedAlgorithm & { readonly placement: Placement | undefined },
  ) {
    this.#algorithm = algorithm;
    this.#context = context;
    this.#stages = stages;
    this.version = version;
    this.state = state;
    this.placement = placement;
  }

  /** Throws MODULE_NOT_FOUND, MODULE_BROKEN, MODULE_NO_DEFAULT_EXPORT, BATCH_UNSUPPORTED, ALGORITHM_INIT_FAILED, or the fault that a built-in's `init` throws. */
  static async create(spec: WorkerSpec, logger: Logger): Promise<AlgorithmInstance> {
    const { name, use, options, directory, maxBatch, device, requireGpu } = spec;
    const module = await loadAlgorithmModule(name, use, directory);
    const algorithm = constructAlgorithm(name, module);
    const state = spec.state ?? (module.construct.state === 'stream' ? 'stream' : 'none');
    if (maxBatch > 1 && state === 'stream') {
      const problem = `algorithm "${name}" (${use}) remembers its stream, whose windows it is handed one by one`;
      throw new Fault('BATCH_UNSUPPORTED', `${problem}: its maxBatch is ${maxBatch}, set maxBatch: 1`);
    }
    if (maxBatch > 1 && typeof algorithm.runBatch !== 'function') {
      const problem = `algorithm "${name}" (${use}) has no runBatch, so its maxBatch of ${maxBatch} cannot be`;
      throw new Fault('BATCH_UNSUPPORTED', `${problem}: set maxBatch: 1, or give it runBatch(windows, contexts)`);
    }
    const stages = new StageClock();
    let placement: Placement | undefined;
    const context: AlgorithmContext = {
      ...{ name, options, logger, maxBatch, device, requireGpu },
      resolvePath: (path) => resolve(directory, path),
      spent: (stage, durationMs) => stages.add(stage, durationMs),
      placed: (on, problem) => {
        placement = { device: on, problem };
      },
    };
    try {
      await algorithm.init?.(context);
    } catch (error) {
      throw initFault(name, error);
    }
    const version = await algorithmVersion(module, spec, placement?.device);
    return new AlgorithmInstance(algorithm, context, stages, { version, state, placement });
  }

  /** Never rejects. Takes one window, or as many as maxBatch says. */
  async run(jobs: readonly WindowJob[]): Promise<BatchAnswer> {
    this.#stages.reset();
    const started = performance.now();
    const facts = (): Pick<BatchAnswer, 'runUs' | 'stagesUs' | 'version'> => ({
      runUs: Math.round((performance.now() - started) * 1000),
      stagesUs: this.#stages.times,
      version: this.version,
    });
    try {
      const returned = await this.#returned(jobs);
      const ran = facts();
      return { kind: 'answered', answers: returned.map((one) => this.#answer(one)), ...ran };
    } catch (error) {
      const place = stackPlace(error);
      const fault = faultJson(this.#runFault(error));
      return { kind: 'failed', answer: { kind: 'fault', fault, ...(place !== undefined && { place }) }, ...facts() };
    }
  }

  async #returned(jobs: readonly WindowJob[]): Promise<readonly unknown[]> {
    const contexts = jobs.map(
      ({ stream, n, key, inputs }): RunContext => ({ ...this.#context, stream, n, key, inputs: parsedInputs(inputs) }),
    );
    const windows = jobs.map(({ frames }) => frames);
    const [frames, context] = [windows[0], contexts[0]];
    if (frames && context && jobs.length === 1) return [await this.#algorithm.run(frames, context)];
    const returned: unknown = await this.#algorithm.runBatch?.(windows, contexts);
    if (isList(returned) && returned.length === jobs.length) return returned;
    const what = isList(returned) ? `${returned.length} results` : typeof returned;
    throw new TypeError(`runBatch returned ${what} for ${jobs.length} windows`);
  }

  #answer(returned: unknown): WindowAnswer {
    try {
      return { kind: 'data', data: this.#encoded(returned) };
    } catch (error) {
      return { kind: 'fault', fault: faultJson(toFault(error, 'RESULT_NOT_JSON')) };
    }
  }

  /** All that it remembers; undefined where it cannot say, which is logged unless it has no `snapshot`. Never rejects. */
  async snapshot(): Promise<Uint8Array | undefined> {
    const { name, logger } = this.#context;
    try {
      const bytes: unknown = await this.#algorithm.snapshot?.();
      if (bytes === undefined) return undefined;
      if (!(bytes instanceof Uint8Array)) throw new TypeError('it is no Uint8Array');
      if (bytes.byteLength > RESULT_LIMIT_BYTES) throw new RangeError(`it has ${bytes.byteLength} bytes`);
      // In memory of its own: the instance may go on writing to what it gave.
      return new Uint8Array(bytes);
    } catch (error) {
      const problem = `algorithm "${name}": its snapshot is not used: ${redactUrl(thrownMessage(error))}`;
      logger.warn(`${problem}: return a Uint8Array of at most ${RESULT_LIMIT_BYTES} bytes`);
      return undefined;
    }
  }

  /** Goes on where the instance stood that gave these. Throws ALGORITHM_FAILED. */
  async restore(bytes: Uint8Array): Promise<void> {
    const { name } = this.#context;
    try {
      await this.#algorithm.restore?.(bytes);
    } catch (error) {
      const message = `algorithm "${name}": restore threw: ${redactUrl(thrownMessage(error))}`;
      throw new Fault('ALGORITHM_FAILED', message, { cause: error });
    }
  }

  async close(): Promise<void> {
    await this.#algorithm.close?.();
  }

  #runFault(thrown: unknown): Fault {
    const message = redactUrl(thrownMessage(thrown));
    if (thrown instanceof Fault) return new Fault(thrown.code, message, { cause: thrown });
    return new Fault('ALGORITHM_FAILED', `algorithm "${this.#context.name}" threw: ${message}`, { cause: thrown });
  }

  #encoded(returned: unknown): Uint8Array<ArrayBuffer> {
    const { name } = this.#context;
    let json: string;
    try {
      json = canonicalJson(returned);
    } catch (error) {
      throw new Fault('RESULT_NOT_JSON', `algorithm "${name}": ${thrownMessage(error)}`, { cause: error });
    }
    const data = new TextEncoder().encode(json);
    if (data.byteLength <= RESULT_LIMIT_BYTES) return data;
    throw new Fault(
      'RESULT_TOO_LARGE',
      `algorithm "${name}" returned ${data.byteLength} bytes of JSON, and ${RESULT_LIMIT_BYTES} is the limit: return less`,
    );
  }
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

function parsedInputs(inputs: WindowJob['inputs']): Record<string, Json> {
  const decoder = new TextDecoder();
  return Object.fromEntries(
    Object.entries(inputs).map(([algorithm, json]) => [algorithm, JSON.parse(decoder.decode(json)) as Json]),
  );
}
