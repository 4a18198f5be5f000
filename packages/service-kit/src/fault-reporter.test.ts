import { Fault } from '@stream-infer/core/fault';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { faultReporter } from './fault-reporter.ts';
import type { Logger } from './logger.ts';

test('the same fault again at once is counted and not logged; another, or of another stream, is both', async () => {
  const lines: string[] = [];
  const log = (fields: object, message: string): void => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const metrics = new Registry();
  const report = faultReporter({ warn: log, error: log } as unknown as Logger, metrics);
  const broken = (): Fault => new Fault('PROTOCOL_BROKEN', 'no frame');
  for (let times = 0; times < 50; times += 1) report(broken(), { stream: 'lobby' });
  report(broken(), { stream: 'yard' });
  report(new Fault('BUS_FAILED', 'no frame'), { stream: 'lobby' });
  expect(lines).toEqual([
    'no frame {"stream":"lobby","code":"PROTOCOL_BROKEN"}',
    'no frame {"stream":"yard","code":"PROTOCOL_BROKEN"}',
    'no frame {"stream":"lobby","code":"BUS_FAILED"}',
  ]);
  const text = await metrics.metrics();
  expect(text).toContain('stream_infer_faults_total{code="PROTOCOL_BROKEN"} 51');
  expect(text).toContain('stream_infer_faults_total{code="BUS_FAILED"} 1');
});
