/** The algo-runner: serves the algorithms of the configuration over gRPC and registers itself on the bus. */

import { runService } from '@stream-infer/service-kit/service';
import { startAlgoRunner } from './service.ts';

await runService({ name: 'algo-runner', section: 'algoRunner', start: startAlgoRunner });
