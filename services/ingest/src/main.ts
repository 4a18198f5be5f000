import { runService } from '@stream-infer/service-kit/service';
import { startIngest } from './service.ts';

await runService({ name: 'ingest', section: 'ingest', start: startIngest });
