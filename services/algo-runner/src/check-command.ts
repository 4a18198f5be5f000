/**
 * Tells whether an algorithm's module loads as a runner loads it: the fault that it does not by as one log line. A program of its own,
 * because services are not imported, and because it runs the top of somebody's module: `stream-infer validate` runs it.
 */

import { toFault } from '@stream-infer/core/fault';
import { createLogger } from '@stream-infer/service-kit/logger';
import { constructAlgorithm, loadAlgorithmModule } from './algorithm-module.ts';

const [name = '', use = '', directory = ''] = process.argv.slice(2);

async function check(): Promise<number> {
  try {
    constructAlgorithm(name, await loadAlgorithmModule(name, use, directory));
    return 0;
  } catch (error) {
    const fault = toFault(error);
    createLogger({ service: 'check', level: 'info', format: 'json' }).fatal({ code: fault.code }, fault.message);
    return fault.exitStatus;
  }
}

// What the module has started must not keep it alive.
process.exit(await check());
