import { runService } from '@stream-infer/service-kit/service';
import { startScheduler } from './service.ts';

await runService({ name: 'scheduler', section: 'scheduler', start: startScheduler });
