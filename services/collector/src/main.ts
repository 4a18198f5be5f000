/** The collector as a process of its own. */

import { runService } from '@stream-infer/service-kit/service';
import { startCollector } from './service.ts';

await runService({ name: 'collector', section: 'collector', start: startCollector });
